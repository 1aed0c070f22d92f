"""A small regression to train on, and an optimizer that writes down its steps."""

import numpy as np

from skconvnet._typing import override
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.layers import Dense
from skconvnet.losses import SquaredError
from skconvnet.optimizers import SGD
from skconvnet.schedules import Constant
from skconvnet.training.loop import train
from skconvnet.training.state import History, Settings, TrainingState

N = 10


class Steps(SGD):
    """Plain gradient descent that writes down what it is given."""

    def __init__(self, interrupt_at=None):
        super().__init__(momentum=0.0)
        self.rates, self.norms = [], []
        self.interrupt_at = interrupt_at

    @override
    def step(self, weights, gradient, rate, run=None, regularizer=None):
        if len(self.rates) == self.interrupt_at:
            raise KeyboardInterrupt
        self.rates.append(rate)
        if regularizer is not None:
            regularizer.before_all(weights, gradient)
        self.norms.append(np.linalg.norm(gradient))
        super().step(weights, gradient, rate, regularizer=regularizer)
        self.last = weights.copy()


class Problem:
    """A small regression, with everything that `train` is given."""

    def __init__(self, n_outputs=2, dtype="float64", weights=None):
        rng = np.random.default_rng(0)
        self.X, self.y = rng.normal(size=(N, 3)), rng.normal(size=(N, n_outputs))
        inputs = Inputs(self.X.astype(dtype), (3,), dtype)
        self.samples = Samples(inputs, self.y.astype(dtype), weights)
        self.network = Network([("output", Dense(n_outputs))], (3,), dtype)
        self.network.initialize(np.random.RandomState(0))
        self.history = History()

    def train(self, optimizer, rate=0.01, validate=None, observers=(), **changed):
        """Return the number of epochs, and whether training stopped before its end."""
        schedule = changed.pop("schedule", None)
        if schedule is None:
            schedule = Constant().start(rate, 5)
        average = changed.pop("average", None)
        state = TrainingState(optimizer, schedule, average, history=self.history)
        settings = {
            "max_iter": 5,
            "batch_size": 4,
            "shuffle": True,
            "alpha": 0.0,
            "tol": 1e-4,
            "n_iter_no_change": 10,
            "max_grad_norm": None,
            "early_stopping": False,
            "verbose": False,
        }
        with Executor(self.network, SquaredError(), 1) as executor:
            train(
                executor,
                self.samples,
                state,
                Settings(**{**settings, **changed}),
                np.random.RandomState(0),
                validate=validate,
                observers=observers,
            )
        return state.n_epochs, state.stopped

    def mean_loss(self):
        kernel, bias = self.network.weights.values()
        residual = self.X @ kernel + bias - self.y
        return 0.5 * (residual**2).sum() / N


class Scores:
    """A validation that gives scores known in advance, and keeps the weights.

    Its loss is the negative score.
    """

    def __init__(self, problem, scores):
        self.vector = problem.network.vector
        self.scores = iter(scores)
        self.seen = []

    def __call__(self):
        self.seen.append(self.vector.copy())
        score = next(self.scores)
        return score, -score
