"""Errors about attributes and methods that other libraries have."""

from __future__ import annotations

from skconvnet._foreign_words import METHODS

# Read whenever scikit-learn asks whether there is an attribute.
_FOREIGN = frozenset(METHODS)


def attribute_hint(estimator: object, name: str) -> str:
    """Return a sentence about a missing attribute, after a space, or an empty string.

    >>> attribute_hint(object(), "compile")
    ' Set solver, loss and scoring in the constructor.'
    """
    fitted = f"{name}_"
    if fitted in vars(type(estimator)) or fitted in getattr(estimator, "__dict__", {}):
        return f" Did you mean {fitted!r}?"
    if name not in _FOREIGN:
        return ""
    advice = METHODS[name]
    assert isinstance(advice, str)
    return f" {advice}" if advice.endswith(".") else f" Did you mean {advice!r}?"
