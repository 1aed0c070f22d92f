"""Printing of nested objects, each of them once."""

from __future__ import annotations

import threading
from typing import ClassVar

from sklearn.base import BaseEstimator
from sklearn.utils._pprint import _EstimatorPrettyPrinter

from skconvnet._typing import override


class _Printing(threading.local):
    """What has been printed so far for the object that is being printed, if any.

    Attributes
    ----------
    known : dict or None
        Objects and their text, by id and length. The objects are kept, so that no other
        one gets the same id.
    """

    known: dict[tuple[int, int], tuple[object, str]] | None = None


class Printed(BaseEstimator):
    """An object that scikit-learn prints, together with the objects inside.

    To find out whether a list differs from the default, scikit-learn prints it, and
    then once more for the output. In layers of layers this doubles from level to level.
    Here, what is inside is printed once.
    """

    _printing: ClassVar[_Printing] = _Printing()

    @override
    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        known, key = self._printing.known, (id(self), N_CHAR_MAX)
        if known is not None and key in known:
            return known[key][1]
        if known is None:
            self._printing.known = {}
        try:
            text: str = super().__repr__(N_CHAR_MAX)
        finally:
            self._printing.known = known
        if known is not None:
            known[key] = self, text
        return text


# Scikit-learn breaks lines only in objects whose __repr__ it knows.
_known = _EstimatorPrettyPrinter._dispatch  # noqa: SLF001  there is no public way
_known[Printed.__repr__] = _known[BaseEstimator.__repr__]
