"""What an error suggests for a name or a value that is not known: "Did you mean"."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable
from difflib import get_close_matches
from dis import opname
from functools import cache
from types import FrameType
from typing import Any, NoReturn

from skconvnet._foreign_words import NUMBER, VALUES, Words

# How similar a name must be, from 0 to 1, to be suggested.
_CUTOFF = 0.7
# A name that begins like this many letters of a word is suggested for it.
_SHORTEST_BEGINNING = 3
# A number that is meant in percent is from the first of these to the second.
_FEWEST_PERCENT, _PERCENT = 2, 100
# Longer values are not repeated in a suggestion.
_MAX_LENGTH = 40


def did_you_mean(
    word: str,
    names: Iterable[str],
    words: Words | None = None,
    write: Callable[[str], str] = repr,
    **shown: object,
) -> str:
    """Return a sentence about an unknown word, after a space, or an empty string.

    Parameters
    ----------
    word : str
        What the user wrote.
    names : iterable of str
        The names that are known.
    words : mapping, default=None
        Foreign words, see `skconvnet._foreign_words`.
    write : callable, default=repr
        How a name is written in the sentence.
    **shown : dict
        Values for the placeholders of sentences.

    Examples
    --------
    >>> did_you_mean("rmsProp", ["adam", "rmsprop"])
    " Did you mean 'rmsprop'?"
    >>> did_you_mean("sigmoid", ["relu", "logistic"], {"sigmoid": "logistic"})
    " Did you mean 'logistic'?"
    >>> did_you_mean("zebra", ["relu", "logistic"])
    ''
    """
    known = list(names)
    same = _by_plain_name(known).get(plain(word))
    if same is not None:
        return f" Did you mean {write(same)}?"
    for advice in translations(word, words or {}):
        if advice in known:
            return f" Did you mean {write(advice)}?"
        if advice.endswith("."):
            return " " + advice.format(**{"value": "...", **shown})
        if not advice.isidentifier():
            return f" Use {advice}."
    similar = closest(word, known)
    return "" if similar is None else f" Did you mean {write(similar)}?"


def closest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that is most similar to `word`, if any is similar.

    >>> closest("cnov1__filters", ["conv1__filters", "dense1__units"])
    'conv1__filters'
    """
    by_plain_name = _by_plain_name(names)
    begun = [name for name in by_plain_name if name.startswith(plain(word))]
    if len(begun) == 1 and len(plain(word)) >= _SHORTEST_BEGINNING:
        return by_plain_name[begun[0]]
    found = get_close_matches(plain(word), by_plain_name, n=1, cutoff=_CUTOFF)
    return by_plain_name[found[0]] if found else None


def translations(word: str, words: Words) -> tuple[str, ...]:
    """Return the advice for a foreign word, none if it is not in the table."""
    wanted = plain(word)
    for foreign, advice in words.items():
        if plain(foreign) == wanted:
            return (advice,) if isinstance(advice, str) else advice
    return ()


@cache
def plain(word: str) -> str:
    """Return the letters and digits of a name, in lower case.

    >>> plain("Leaky_ReLU")
    'leakyrelu'
    """
    return "".join(letter for letter in word.lower() if letter.isalnum())


def _by_plain_name(names: Iterable[str]) -> dict[str, str]:
    return {plain(name): name for name in reversed(list(names))}


def value_suggestion(parameter: str, value: object, choices: Collection[str]) -> str:
    """Return a sentence about a value that is not allowed, or an empty string.

    A foreign object, such as a loss of PyTorch, is recognized by the name of its class.

    >>> value_suggestion("activation", "swish", ["relu", "silu"])
    " Did you mean 'silu'?"
    >>> value_suggestion("learning_rate", 0.01, ["constant"])[-30:]
    ': set learning_rate_init=0.01.'
    """
    word = _word_for(value)
    words = VALUES.get(parameter, {})
    return did_you_mean(word, choices, words, value=repr(value)) if word else ""


def _word_for(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)) or hasattr(value, "__float__"):
        return NUMBER
    name = getattr(value, "__name__", type(value).__name__)
    return str(name)


def percent_suggestion(name: str, value: object) -> str:
    """Return a sentence about a fraction that was given in percent, or nothing.

    >>> percent_suggestion("dropout", 50)
    ' For 50 %, set dropout=0.5.'
    """
    if value == 1:
        return f" {name}=1 would be 100 %."
    if isinstance(value, (int, float)) and _FEWEST_PERCENT <= value <= _PERCENT:
        return f" For {value:g} %, set {name}={value / _PERCENT:g}."
    return ""


def shown_value(value: object) -> str:
    """Return the repr of a value, or ``...`` if it is long.

    >>> shown_value(0.5), shown_value("x" * 100)
    ('0.5', '...')
    """
    text = repr(value)
    return text if len(text) <= _MAX_LENGTH and "\n" not in text else "..."


def unknown_attribute(
    module: str, name: str, names: Iterable[str], words: Words
) -> AttributeError | ImportError:
    """Return the error for a name that a module does not have, with a suggestion.

    Call it from the ``__getattr__`` of a module, or from a function that this calls:
    ``from module import name`` replaces the message of an AttributeError by its own,
    but passes on an ImportError.
    """
    hint = "" if name.startswith("_") else did_you_mean(name, names, words)
    caller = sys._getframe(2)  # noqa: SLF001  documented, in spite of its name
    if hint and _is_from_import(caller):
        return ImportError(f"cannot import name {name!r} from {module!r}.{hint}")
    message = f"module {module!r} has no attribute {name!r}"
    return AttributeError(f"{message}.{hint}" if hint else message)


def _is_from_import(frame: FrameType) -> bool:
    """Whether a frame is executing ``from ... import ...``."""
    position, code = frame.f_lasti, frame.f_code.co_code
    if not 0 <= position < len(code):
        return False
    return bool(opname[code[position]] == "IMPORT_FROM")


def module_getattr(
    module: str, names: Iterable[str], words: Words
) -> Callable[[str], Any]:
    """Return a `__getattr__` for a module, which suggests a name for unknown ones."""
    known = list(names)

    def get(name: str) -> NoReturn:
        raise unknown_attribute(module, name, known, words)

    return get
