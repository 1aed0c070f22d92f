"""Climb the ladder of MNIST: one improvement of a network after the other.

    python examples/mnist_ladder.py --rungs 1 2 --epochs 3
    python examples/mnist_ladder.py --data mnist.npz --plot ladder.png

Each rung of the book is the network before it with one change: convolutions, a second
block of them, ReLU, images moved by a pixel, more units, dropout, and five networks
that vote. The ladder is that of M. Nielsen, "Neural networks and deep learning" (2015),
where it goes from 97.8 to 99.7 %. The accuracies of the book are printed beside ours.
Rungs 9 to 11 go beyond the book, with batch normalization, digits that are turned, and
votes of such networks. The rungs "small" and "smaller" have few weights; the second one
learns the probabilities of rung 9c.

The upper rungs take a while. Each network that is finished is a line in the file of
--results and a model in the folder of --models, and is not trained again, unless it is
to vote or to teach and its model is missing; one that was interrupted goes on after its
last epoch. --show prints, and draws, what the file has,
without any training. After a change of a rung or of the data, begin with a new file
and a new folder. With --validate, networks are trained on the first 50,000 images, and
measured on the last 10,000 of the training set, to choose among them without the test
images.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from _command_line import check_can_draw
from _distillation import WeightedLabels, labels_from_probabilities
from _ladder_results import (
    Result,
    Run,
    append_result,
    draw,
    print_table,
    read_results,
    summarize,
)
from _mnist import load_digits, with_neighbors
from _mnist_rungs import RUNGS, vote
from _split_images import SplitImages
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from skconvnet.callbacks import Checkpoint, LearningCurve
from skconvnet.engine.blas_threads import resolve_n_threads


@dataclass
class Climb:
    """Trains the networks that are not yet finished.

    Attributes
    ----------
    digits : SplitImages
    results : Path
        The CSV file.
    models : Path
        The folder of fitted networks, and of checkpoints.
    """

    digits: SplitImages
    results: Path
    models: Path

    def reach(self, run: Run, *, needs_model: bool = False) -> Result:
        """Return the result of a rung, for which networks are trained if necessary."""
        known = read_results(self.results).get(run)
        if known is not None and (self._model(run).exists() or not needs_model):
            return known
        result = self._let_vote(run) if RUNGS[run.rung].voters else self._train(run)
        append_result(self.results, result)
        return result

    def _model(self, run: Run) -> Path:
        name = f"{run.rung}-seed{run.seed}-{run.epochs}epochs-{run.measured_on}.joblib"
        return self.models / name

    def _train(self, run: Run) -> Result:
        """Train a network, from its last checkpoint on if there is one."""
        rung, path = RUNGS[run.rung], self._model(run)
        model = rung.make(max_iter=run.epochs, random_state=run.seed, verbose=True)
        checkpoint, curve = path.with_suffix(".checkpoint"), LearningCurve()
        model["net"].set_callbacks(Checkpoint(checkpoint), curve)
        X, y, fit_params = self.digits.X_train, self.digits.y_train, {}
        if rung.is_expanded:
            X, y = with_neighbors(X, y)
        if rung.teacher:
            indices, y, weights = self._labels_by_teacher(run)
            X, fit_params["net__sample_weight"] = X[indices], weights
        if checkpoint.exists():
            fit_params["net__resume_from"] = checkpoint
        with warnings.catch_warnings():
            # That the loss still falls after all epochs is no reason to worry here.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, **fit_params)
        model["net"].set_callbacks()
        # Not known if the last process ended between the last epoch and the result.
        ends = curve.curves_.get("seconds", [np.nan])
        seconds = round(run.epochs * float(np.median(np.diff(ends, prepend=0.0))), 2)
        accuracy = self._accuracy(model)
        threads = resolve_n_threads(model["net"].n_jobs)
        result = Result(run, accuracy, seconds, threads, n_weights(model))
        joblib.dump(model, path)
        checkpoint.unlink()
        return result

    def _labels_by_teacher(self, run: Run) -> WeightedLabels:
        """Return what to learn from a teacher, which is trained if it is missing."""
        teacher = _run_for(run, RUNGS[run.rung].teacher, run.seed)
        self.reach(teacher, needs_model=True)
        model = joblib.load(self._model(teacher))
        probabilities = model.predict_proba(self.digits.X_train)
        return labels_from_probabilities(probabilities, model.classes_)

    def _let_vote(self, run: Run) -> Result:
        """Let networks vote, and train those missing."""
        voters, seeds = [], Counter()
        for rung in RUNGS[run.rung].voters:
            voters.append(_run_for(run, rung, run.seed + seeds[rung]))
            seeds[rung] += 1
        results = [self.reach(voter, needs_model=True) for voter in voters]
        model = vote([joblib.load(self._model(voter)) for voter in voters])
        model.fit(self.digits.X_train, self.digits.y_train)
        joblib.dump(model, self._model(run))
        weights = sum(result.weights for result in results)
        threads = max(result.threads for result in results)
        core_seconds = sum(result.seconds * result.threads for result in results)
        seconds = round(core_seconds / threads, 2)
        return Result(run, self._accuracy(model), seconds, threads, weights)

    def _accuracy(self, model: BaseEstimator) -> float:
        """Return the accuracy on the test images, in percent."""
        score = model.score(self.digits.X_test, self.digits.y_test)
        return round(100 * float(score), 2)


def _run_for(run: Run, rung: str, seed: int) -> Run:
    """Return the run of a network that votes in `run`, or teaches its network.

    It has its own number of epochs, unless that of `run` is not the usual one.
    """
    is_usual = run.epochs == RUNGS[run.rung].epochs
    epochs = RUNGS[rung].epochs if is_usual else run.epochs
    return run._replace(rung=rung, seed=seed, epochs=epochs)


def n_weights(model: Pipeline) -> int:
    """Return how many kernel weights and biases the network has.

    Batch normalization adds none: in prediction, it is part of the convolution before
    it, whose kernels and biases it changes.
    """
    counted = {"kernel", "depthwise", "pointwise", "bias"}
    arrays = model["net"].get_weights().items()
    return sum(a.size for name, a in arrays if name.rpartition("/")[2] in counted)


def climb_to(options: argparse.Namespace) -> list[Result]:
    """Return the results of the rungs and seeds, after training what is missing."""
    digits = load_digits(options.data)
    if options.validate:
        digits = digits.held_out(6)
    options.models.mkdir(parents=True, exist_ok=True)
    climb = Climb(digits, options.results, options.models)
    reached = []
    for rung in options.rungs:
        for seed in options.seeds:
            print(f"Rung {rung}, {RUNGS[rung].change}, seed {seed}", flush=True)
            reached.append(climb.reach(Run(rung, seed, *training_of(rung, options))))
    print()
    return reached


def known_results(options: argparse.Namespace) -> list[Result]:
    """Return the results of the rungs that the file has, of all seeds."""
    known = read_results(options.results)
    return [
        result
        for rung in options.rungs
        for run, result in known.items()
        if run == Run(rung, run.seed, *training_of(rung, options))
    ]


def training_of(rung: str, options: argparse.Namespace) -> tuple[int, str]:
    """Return how many epochs a rung is trained, and on what it is measured."""
    measured_on = "validation" if options.validate else "test"
    return options.epochs or RUNGS[rung].epochs, measured_on


def main(argv: list[str] | None = None) -> int:
    """Reach the rungs that the command line names, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rungs", nargs="+", choices=RUNGS, default=list(RUNGS))
    parser.add_argument("--data", type=Path, metavar="FILE", help="an .npz file")
    parser.add_argument(
        "--epochs",
        type=int,
        help="of all rungs; the usual number keeps that of networks that vote or teach",
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--validate", action="store_true", help="spare the test set")
    parser.add_argument("--results", type=Path, default=Path("mnist_ladder.csv"))
    parser.add_argument("--models", type=Path, default=Path("mnist_ladder_models"))
    parser.add_argument("--show", action="store_true", help="train nothing")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a picture")
    options = parser.parse_args(argv)
    check_can_draw(options.plot)
    reached = known_results(options) if options.show else climb_to(options)
    if not reached:
        parser.error(f"{options.results} has no results of these rungs and epochs")
    summaries = summarize(reached)
    print_table(summaries, RUNGS)
    if options.plot is not None:
        draw(summaries, RUNGS, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
