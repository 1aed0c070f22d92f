"""Warnings that point to the line of the user's code that called the estimator."""

from __future__ import annotations

import os
import sys
import warnings

import joblib
import sklearn

# Code in these folders calls on behalf of the user.
_FOLDERS = (
    os.path.join(os.path.dirname(os.path.dirname(__file__)), ""),
    os.path.join(*sklearn.__path__, ""),
    os.path.join(*joblib.__path__, ""),
)


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the first frame outside of `_FOLDERS`."""
    level, frame = 1, sys._getframe()  # noqa: SLF001  there is no public function
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_FOLDERS):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
