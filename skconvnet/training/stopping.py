"""Why training ends before its time."""

from __future__ import annotations


class TrainingDivergedError(ValueError):
    """The loss or a weight is no longer finite."""
