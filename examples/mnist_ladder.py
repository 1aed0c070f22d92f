"""Climb from 97.8 to 99.7 % on MNIST, one improvement of the network at a time.

    python examples/mnist_ladder.py --rungs 1 2 --epochs 3
    python examples/mnist_ladder.py --data mnist.npz --plot ladder.png

Each rung is the network before it with one change: convolutions, a second block of
them, ReLU, images moved by a pixel, more units, dropout, and five networks that vote.
The ladder is that of M. Nielsen, "Neural networks and deep learning" (2015), whose
accuracies are printed beside ours.

The upper rungs take a while. Each network that is finished is a line in the file of
--results and a model in the folder of --models, and is not trained again; one that was
interrupted goes on after its last epoch. With --validate, networks are trained on the
first 50,000 images, and measured on the last 10,000 of the training set. Everything
here was chosen that way, without the test images.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
from _command_line import check_can_draw
from _ladder_results import Result, append_result, draw, print_table, read_results
from _mnist import Digits, load_digits, with_neighbors
from _mnist_rungs import RUNGS, vote
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from skconvnet.callbacks import Checkpoint, LearningCurve

N_VOTERS = 5


@dataclass
class Climb:
    """Trains the networks that are not yet finished.

    Attributes
    ----------
    digits : Digits
    measured_on : str
        What the test images of `digits` are.
    results : Path
        The CSV file.
    models : Path
        The folder of fitted networks, and of checkpoints.
    """

    digits: Digits
    measured_on: str
    results: Path
    models: Path

    def reach(self, rung: str, seed: int, epochs: int) -> Result:
        """Return the result of a rung, for which networks are trained if necessary."""
        key = (rung, seed, epochs, self.measured_on)
        for result in read_results(self.results):
            if result.is_of(*key) and self._model(*key[:3]).exists():
                return result
        voters = RUNGS[rung].voters
        if voters:
            result = self._let_vote(rung, voters, seed, epochs)
        else:
            result = self._train(rung, seed, epochs)
        append_result(self.results, result)
        return result

    def _model(self, rung: str, seed: int, epochs: int) -> Path:
        name = f"{rung}-seed{seed}-{epochs}epochs-{self.measured_on}.joblib"
        return self.models / name

    def _train(self, rung: str, seed: int, epochs: int) -> Result:
        """Train a network, from its last checkpoint on if there is one."""
        model = RUNGS[rung].make(max_iter=epochs, random_state=seed, verbose=True)
        path = self._model(rung, seed, epochs)
        checkpoint, curve = path.with_suffix(".checkpoint"), LearningCurve()
        model["net"].set_callbacks(Checkpoint(checkpoint), curve)
        X, y = self.digits.X_train, self.digits.y_train
        if RUNGS[rung].is_expanded:
            X, y = with_neighbors(X, y)
        goes_on = {"net__resume_from": checkpoint} if checkpoint.exists() else {}
        with warnings.catch_warnings():
            # That the loss still falls after all epochs is no reason to worry here.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, **goes_on)
        model["net"].set_callbacks()
        # Not known if the last process ended between the last epoch and the result.
        seconds = np.median(
            np.diff(curve.curves_.get("seconds", [np.nan]), prepend=0.0)
        )
        total = epochs * float(seconds)
        result = self._measured(model, rung, seed, epochs, total, n_weights(model))
        joblib.dump(model, path)
        checkpoint.unlink()
        return result

    def _let_vote(self, rung: str, voters: str, seed: int, epochs: int) -> Result:
        """Let networks that differ in their seeds vote, and train those missing."""
        seeds = range(seed, seed + N_VOTERS)
        trained = [self.reach(voters, own, epochs) for own in seeds]
        models = [joblib.load(self._model(voters, own, epochs)) for own in seeds]
        model = vote(models).fit(self.digits.X_train, self.digits.y_train)
        joblib.dump(model, self._model(rung, seed, epochs))
        seconds = sum(result.seconds for result in trained)
        weights = sum(result.weights for result in trained)
        return self._measured(model, rung, seed, epochs, seconds, weights)

    def _measured(
        self,
        model: BaseEstimator,
        rung: str,
        seed: int,
        epochs: int,
        seconds: float,
        weights: int,
    ) -> Result:
        accuracy = 100 * model.score(self.digits.X_test, self.digits.y_test)
        numbers = round(accuracy, 2), round(seconds, 2), weights
        return Result(rung, seed, epochs, self.measured_on, *numbers)


def n_weights(model: Pipeline) -> int:
    """Return how many numbers the network learns."""
    arrays = model["net"].get_weights()
    return sum(arrays[name].size for name in arrays if not name.startswith("rescale/"))


def main(argv: list[str] | None = None) -> int:
    """Reach the rungs that the command line names, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rungs", nargs="+", choices=RUNGS, default=list(RUNGS))
    parser.add_argument("--data", type=Path, metavar="FILE", help="an .npz file")
    parser.add_argument("--epochs", type=int, help="of all rungs")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--validate", action="store_true", help="spare the test set")
    parser.add_argument("--results", type=Path, default=Path("mnist_ladder.csv"))
    parser.add_argument("--models", type=Path, default=Path("mnist_ladder_models"))
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw a picture")
    options = parser.parse_args(argv)
    check_can_draw(options.plot)
    digits, measured_on = load_digits(options.data), "test"
    if options.validate:
        digits, measured_on = digits.held_out(), "validation"
    options.models.mkdir(parents=True, exist_ok=True)
    climb = Climb(digits, measured_on, options.results, options.models)
    reached = []
    for rung in options.rungs:
        epochs = options.epochs or RUNGS[rung].epochs
        for seed in options.seeds:
            print(f"Rung {rung}, {RUNGS[rung].change}, seed {seed}", flush=True)
            reached.append(climb.reach(rung, seed, epochs))
    print()
    print_table(reached, RUNGS)
    if options.plot is not None:
        draw(reached, RUNGS, options.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
