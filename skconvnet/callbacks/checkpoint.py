"""Checkpoints, from which an interrupted training goes on."""

from __future__ import annotations

import os
from pathlib import Path

import joblib
import numpy as np

from skconvnet._checks import check_int, is_path
from skconvnet._typing import override
from skconvnet._whole_files import written_as_a_whole
from skconvnet.callbacks.base import EpochCallback, Task, running_fit
from skconvnet.training.events import TrainingView


class Checkpoint(EpochCallback):
    """Writes the model and the state of its training to a file.

    `joblib.load` of the file returns an estimator that is fitted as far as training
    was. ``fit(X, y, resume_from=path)`` of an equal estimator goes on from there, and
    ends with the same bits as a fit that was never interrupted: weights, optimizer,
    schedule, averages and random numbers continue. A file is written beside its place
    and then moved there, so that it is always a whole one, whenever the process ends.
    In a search, every fit would write to the same path. With early stopping, a
    checkpoint has the weights of its epoch, and goes on to the best ones.

    Parameters
    ----------
    path : str or path-like
        Where the newest checkpoint is written. Its folder is created.
    every : int, default=1
        Write after every so many epochs. The last epoch is written too, unless training
        is ended by another callback, by Ctrl-C or because it diverges.
    keep_last : int, default=1
        How many of the newest checkpoints to keep. With 3, the two before the newest
        are ``model-1.joblib`` and ``model-2.joblib`` if `path` is ``model.joblib``.
    keep_best : bool, default=False
        Whether to keep the best epoch too, as ``model-best.joblib``: the one with the
        highest validation score, or without a validation set with the lowest loss. With
        `ProgressiveResizing`, only losses at the full size count.

    Attributes
    ----------
    best_path : pathlib.Path
        Where the best one is written.

    See Also
    --------
    joblib.dump : Saves a fitted estimator.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skconvnet import MLPClassifier
    >>> from skconvnet.callbacks import Checkpoint
    >>> X, y = load_iris(return_X_y=True)
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "model.joblib"
    >>> clf = MLPClassifier(max_iter=500, tol=0.01, random_state=0)
    >>> clf = clf.set_callbacks(Checkpoint(path, every=10)).fit(X, y)
    >>> same = MLPClassifier(max_iter=500, tol=0.01, random_state=0)
    >>> same.fit(X, y, resume_from=path).loss_ == clf.loss_
    True
    >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int = 1,
        *,
        keep_last: int = 1,
        keep_best: bool = False,
    ) -> None:
        if not is_path(path):
            raise TypeError(f"path must be a path; got {path!r}.")
        self.path = Path(path)
        if not self.path.name:
            raise ValueError(f"path must be that of a file; got {path!r}.")
        self.every = check_int("every", every, minimum=1)
        self.keep_last = check_int("keep_last", keep_last, minimum=1)
        if not isinstance(keep_best, bool):
            raise TypeError(f"keep_best must be True or False; got {keep_best!r}.")
        self.keep_best = keep_best
        self.best_path = self._beside("best")

    @override
    def on_fit_task_end(
        self,
        estimator: object,
        context: Task,
        *,
        fitted_estimator: object = None,
    ) -> bool:
        """Write a checkpoint after an epoch, if it is its turn."""
        if context.task_name != "epoch":
            return False
        running = running_fit(estimator)
        view = running.view
        is_last = view.stopped or view.epoch == view.max_iter
        is_turn = is_last or view.epoch % self.every == 0
        is_best = self.keep_best and is_best_epoch(view)
        if is_turn or is_best:
            vars(fitted_estimator)["_checkpointed"] = running.checkpointed()
        if is_turn:
            self._rotate()
            _write(fitted_estimator, self.path)
        if is_best:
            _write(fitted_estimator, self.best_path)
        return False

    @override
    def _begin(self) -> None:
        if self.path.is_dir():
            raise IsADirectoryError(
                f"path must be that of a file; {str(self.path)!r} is a folder."
            )
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def _rotate(self) -> None:
        """Rename the checkpoints that are kept, from the oldest one on."""
        places = [self.path, *(self._beside(i) for i in range(1, self.keep_last))]
        for older, newer in zip(places[:0:-1], places[-2::-1], strict=True):
            if newer == self.path and newer.exists():
                # Linked rather than moved, so that there is one at any time.
                older.unlink(missing_ok=True)
                _link_or_copy(newer, older)
            elif newer.exists():
                newer.replace(older)

    def _beside(self, what: object) -> Path:
        return self.path.with_stem(f"{self.path.stem}-{what}")


def is_best_epoch(view: TrainingView) -> bool:
    """Return whether the last epoch is the best one of this fit so far."""
    # Curves begin with earlier fits if this one is a warm start.
    if view.is_validated:
        curve = [-score for score in view.validation_scores[-view.epoch :]]
    else:
        n_compared = min(view.epoch, view.history.n_comparable)
        curve = list(view.loss_curve[len(view.loss_curve) - n_compared :])
    return bool(curve) and curve[-1] < min(curve[:-1], default=np.inf)


def _write(model: object, path: Path) -> None:
    with written_as_a_whole(path) as unfinished, open(unfinished, "wb") as file:
        joblib.dump(model, file)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        target.write_bytes(source.read_bytes())
