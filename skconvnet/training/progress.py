"""What `verbose` prints: a line for each epoch, or a bar."""

from __future__ import annotations

import time
from typing import Any

from skconvnet._typing import override
from skconvnet.training.events import TrainingObserver, TrainingView

_COLUMNS = (
    ("epoch", 9),
    ("loss", 10),
    ("val_loss", 10),
    ("val_score", 10),
    ("rate", 10),
    ("samples/s", 10),
    ("left", 8),
)
_OF_VALIDATION = ("val_loss", "val_score")


class EpochTable(TrainingObserver):
    """Prints an aligned line for each epoch.

    The columns are the epoch, the training loss, the validation loss and score if there
    is a validation set, the learning rate of the last update, the samples per second,
    validation included, and the time left if no epoch is stopped early.

    Parameters
    ----------
    n_samples : int
        Number of training samples.
    """

    def __init__(self, n_samples: int) -> None:
        self._n_samples = n_samples
        self._n_before = 0
        self._start = self._last = 0.0

    @override
    def on_train_begin(self, view: TrainingView) -> None:
        self._start = self._last = time.perf_counter()
        self._n_before = view.epoch
        print(_line(view, {name: name for name, _ in _COLUMNS}))

    @override
    def on_epoch_end(self, view: TrainingView) -> None:
        now = time.perf_counter()
        print(_line(view, self._values(view, now)), flush=True)
        self._last = now

    def _values(self, view: TrainingView, now: float) -> dict[str, str]:
        measured = _measurements(view)
        per_epoch = (now - self._start) / (view.epoch - self._n_before)
        return {
            "epoch": f"{view.epoch}/{view.max_iter}",
            **{name: f"{value:.4f}" for name, value in measured.items()},
            "rate": f"{view.learning_rate_curve[-1]:.2e}",
            "samples/s": f"{self._n_samples / max(now - self._last, 1e-9):.0f}",
            "left": duration(per_epoch * (view.max_iter - view.epoch)),
        }


class EpochBar(TrainingObserver):
    """Shows a bar that grows with each epoch, by means of rich.

    Parameters
    ----------
    name : str
        The name of the estimator.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._progress: Any = None
        self._task: Any = None

    @staticmethod
    def is_available() -> bool:
        """Return whether rich is installed."""
        try:
            import rich.progress  # noqa: F401  only whether it is there
        except ImportError:
            return False
        return True

    @override
    def on_train_begin(self, view: TrainingView) -> None:
        from rich import progress

        self._progress = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[measured]}"),
            progress.TimeRemainingColumn(elapsed_when_finished=True),
        )
        self._progress.start()
        self._task = self._progress.add_task(
            self._name, total=view.max_iter, completed=view.epoch, measured=""
        )

    @override
    def on_epoch_end(self, view: TrainingView) -> None:
        measured = "  ".join(f"{k} {v:.4f}" for k, v in _measurements(view).items())
        self._progress.update(self._task, completed=view.epoch, measured=measured)

    @override
    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def duration(seconds: float) -> str:
    """Write a duration in hours, minutes and seconds.

    Examples
    --------
    >>> duration(7), duration(75.2), duration(7500)
    ('7s', '1m15s', '2h05m')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def _measurements(view: TrainingView) -> dict[str, float]:
    """Return the losses and the score of the last epoch, by name."""
    measured = {"loss": view.loss_curve[-1]}
    if view.is_validated:
        measured["val_loss"] = view.validation_loss_curve[-1]
        measured["val_score"] = view.validation_scores[-1]
    return measured


def _columns(view: TrainingView) -> list[tuple[str, int]]:
    return [c for c in _COLUMNS if view.is_validated or c[0] not in _OF_VALIDATION]


def _line(view: TrainingView, values: dict[str, str]) -> str:
    return " ".join(f"{values[name]:>{width}}" for name, width in _columns(view))
