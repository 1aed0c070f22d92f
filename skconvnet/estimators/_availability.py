"""Methods that only some settings have, whose absence is explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils._available_if import _AvailableIfDescriptor

from skconvnet._typing import override


class _Available(_AvailableIfDescriptor):
    @override
    def _check(self, obj: Any, owner: type) -> None:
        """Raise scikit-learn's AttributeError, followed by the reason."""
        try:
            self.check(obj)
        except AttributeError as reason:
            raise AttributeError(
                f"This {owner.__name__!r} has no attribute {self.attribute_name!r}. "
                f"{reason}"
            ) from reason


def available_if(check: Callable[[Any], bool]) -> Callable[[Any], Any]:
    """Make a method available if `check` raises no AttributeError.

    Unlike scikit-learn's decorator of this name, it puts the reason into the message.

    Parameters
    ----------
    check : callable
        It takes the estimator, and raises an AttributeError with the reason.
    """
    return lambda method: _Available(method, check, attribute_name=method.__name__)
