"""Schedules against hand arithmetic and PyTorch's, and in every estimator."""

import math
import pickle
from contextlib import nullcontext

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from training_tools import N, Problem, Steps

from skconvnet import MLPClassifier
from skconvnet.optimizers import OPTIMIZERS, SGD
from skconvnet.schedules import (
    SCHEDULES,
    Adaptive,
    Constant,
    Cosine,
    Exponential,
    InverseScaling,
    OneCycle,
    Polynomial,
    ReduceOnPlateau,
    StepDecay,
)

RATE = 0.4
quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def rates(schedule, n_epochs, n_updates=1, total=None):
    """Return the rate of each update of a training."""
    schedule = clone(schedule).start(RATE, total or n_epochs)
    seen = []
    for epoch in range(n_epochs):
        for done in range(n_updates):
            schedule.update_begins(done, n_updates)
            seen.append(schedule.rate)
        schedule.epoch_ends(10 * (epoch + 1), {"training_loss": 1.0})
    return seen


BY_HAND = [
    (Constant(), 1, [0.4, 0.4, 0.4, 0.4]),
    (
        InverseScaling(1.0),
        2,
        [0.4, 0.4, 0.4 / 11, 0.4 / 11, 0.4 / 21, 0.4 / 21, 0.4 / 31, 0.4 / 31],
    ),
    (StepDecay(2, 0.5), 1, [0.4, 0.4, 0.2, 0.2]),
    (StepDecay((1, 3), 0.1, minimum=0.01), 1, [0.4, 0.04, 0.04, 0.01]),
    (Exponential(0.25), 2, [0.4, 0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625, 0.003125]),
    (Exponential(0.5, minimum=0.1), 1, [0.4, 0.2, 0.1, 0.1]),
    (Polynomial(), 1, [0.4, 0.3, 0.2, 0.1]),
    (Polynomial(2.0, epochs=2), 1, [0.4, 0.1, 0.0, 0.0]),
    (Polynomial(warmup_epochs=2, minimum=0.2), 1, [0.2, 0.4, 0.4, 0.3]),
    (Polynomial(warmup_epochs=2), 2, [0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.2, 0.1]),
    (Cosine(), 2, [0.2 * (1 + math.cos(math.pi * i / 8)) for i in range(8)]),
    (Cosine(period=2), 1, [0.4, 0.2, 0.4, 0.2]),
    (Cosine(period=2, minimum=0.1), 1, [0.4, 0.25, 0.4, 0.25]),
    (
        Cosine(1, 2, warmup_epochs=1),
        2,
        [0.2, 0.4, 0.4, 0.2, 0.4, 0.34142, 0.2, 0.05858],
    ),
    (OneCycle(0.5, 4.0, 10.0, "linear"), 1, [0.1, 0.25, 0.4, 0.205]),
    (OneCycle(0.5, 4.0, 10.0), 1, [0.1, 0.25, 0.4, 0.205]),
    (OneCycle(0.5, 4.0, 10.0, epochs=2), 1, [0.1, 0.4, 0.01, 0.01]),
    (ReduceOnPlateau(0.5, patience=0), 1, [0.4, 0.4, 0.2, 0.1]),
]


@pytest.mark.parametrize(("schedule", "n_updates", "expected"), BY_HAND, ids=repr)
def test_by_hand(schedule, n_updates, expected):
    np.testing.assert_allclose(rates(schedule, 4, n_updates), expected, rtol=1e-4)


def test_every_schedule_is_compared():
    compared = {type(schedule) for schedule, *_ in BY_HAND} | {Adaptive}
    assert compared == set(SCHEDULES.values())


def test_the_end_is_kept():
    for schedule, end in ((Cosine(minimum=0.01), 0.01), (Polynomial(), 0.0)):
        assert rates(schedule, 6, total=4)[4:] == [end, end]
    last = rates(OneCycle(), 6, total=4)[-1]
    assert last == pytest.approx(RATE / 25 / 1e4)


PEERS = [
    (StepDecay(3, 0.5), "StepLR", {"step_size": 3, "gamma": 0.5}),
    (StepDecay((2, 3, 7), 0.3), "MultiStepLR", {"milestones": [2, 3, 7], "gamma": 0.3}),
    (Exponential(0.8), "ExponentialLR", {"gamma": 0.8}),
    (Polynomial(2.5, epochs=9), "PolynomialLR", {"total_iters": 9, "power": 2.5}),
    (Cosine(minimum=0.01), "CosineAnnealingLR", {"T_max": 12, "eta_min": 0.01}),
    (
        Cosine(2, 3, minimum=0.01),
        "CosineAnnealingWarmRestarts",
        {"T_0": 2, "T_mult": 3, "eta_min": 0.01},
    ),
    (Cosine(3), "CosineAnnealingWarmRestarts", {"T_0": 3}),
]


def torch_scheduler(torch, name, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    return optimizer, scheduler


@pytest.mark.parametrize(("schedule", "name", "options"), PEERS, ids=repr)
def test_as_pytorch(torch, schedule, name, options):
    optimizer, scheduler = torch_scheduler(torch, name, **options)
    theirs = []
    for _ in range(12):
        theirs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(rates(schedule, 12), theirs, rtol=1e-9, atol=1e-12)


def test_restarts_within_epochs_as_pytorch(torch):
    options = {"T_0": 2, "T_mult": 2, "eta_min": 0.01}
    optimizer, scheduler = torch_scheduler(
        torch, "CosineAnnealingWarmRestarts", **options
    )
    theirs = []
    for update in range(7 * 5):
        scheduler.step(update / 5)
        theirs.append(optimizer.param_groups[0]["lr"])
    ours = rates(Cosine(2, 2, minimum=0.01), 7, n_updates=5)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@pytest.mark.parametrize(("anneal", "theirs"), [("cosine", "cos"), ("linear",) * 2])
def test_one_cycle_as_pytorch(torch, anneal, theirs):
    n_epochs, n_updates, warmup = 5, 4, 0.25
    n = n_epochs * n_updates
    # Theirs counts steps from the first to the last rate, ours the time between them.
    optimizer, scheduler = torch_scheduler(
        torch,
        "OneCycleLR",
        max_lr=RATE,
        total_steps=n + 1,
        pct_start=(warmup * n + 1) / (n + 1),
        anneal_strategy=theirs,
        cycle_momentum=False,
        div_factor=10.0,
        final_div_factor=50.0,
    )
    expected = []
    for _ in range(n):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    ours = rates(OneCycle(warmup, 10.0, 50.0, anneal), n_epochs, n_updates)
    np.testing.assert_allclose(ours, expected, rtol=1e-9)


@pytest.mark.parametrize("cooldown", [0, 2])
@pytest.mark.parametrize("patience", [0, 1, 3])
@pytest.mark.parametrize("monitor", ["validation_score", "training_loss"])
def test_plateau_as_pytorch(torch, monitor, patience, cooldown):
    score = monitor == "validation_score"
    optimizer, scheduler = torch_scheduler(
        torch,
        "ReduceLROnPlateau",
        mode="max" if score else "min",
        factor=0.5,
        patience=patience,
        threshold=0.01,
        threshold_mode="abs",
        cooldown=cooldown,
        min_lr=0.01,
        eps=0.0,
    )
    ours = ReduceOnPlateau(0.5, patience, 0.01, monitor, 0.01, cooldown)
    ours.start(RATE, 40)
    for value in np.random.default_rng(0).choice([1, 1.005, 2, np.nan], size=40):
        scheduler.step(value)
        ours.epoch_ends(0, {"training_loss": 0.0, monitor: value})
        assert ours.rate == optimizer.param_groups[0]["lr"]
    assert ours.rate < RATE


def test_plateau_monitors_what_is_there():
    schedule = ReduceOnPlateau(0.5, patience=0).start(RATE, 9)
    schedule.epoch_ends(0, {"training_loss": 1.0, "validation_loss": 2.0})
    schedule.epoch_ends(0, {"training_loss": 0.5, "validation_loss": 2.0})
    assert schedule.rate == RATE / 2
    schedule.start(RATE, 9)
    schedule.epoch_ends(0, {"training_loss": 1.0})
    schedule.epoch_ends(0, {"training_loss": 0.5})
    assert schedule.rate == RATE


def test_adaptive_divides_when_training_stalls():
    schedule = Adaptive().start(1e-5, 9)
    assert not schedule.stalled()
    assert schedule.rate == 1e-5 / 5
    schedule.epoch_ends(0, {})
    assert not schedule.stalled()
    assert schedule.rate == pytest.approx(4e-7)
    assert schedule.stalled()
    assert Constant().start(0.1, 9).stalled()


@given(
    name=st.sampled_from(sorted(SCHEDULES)),
    n_epochs=st.integers(1, 12),
    n_updates=st.integers(1, 7),
)
def test_rates_lie_between_zero_and_the_initial_one(name, n_epochs, n_updates):
    seen = rates(SCHEDULES[name](), n_epochs + 3, n_updates, total=n_epochs)
    assert all(0 <= rate <= RATE for rate in seen)
    if name == "one_cycle":
        peak = int(np.argmax(seen))
        assert seen[: peak + 1] == sorted(seen[: peak + 1])
        seen = seen[peak:]
    assert seen == sorted(seen, reverse=True)


WRONG = [
    (StepDecay(0), "'every' parameter of StepDecay .* Got 0"),
    (StepDecay((3, 0.5)), r"every must be a positive int .*got \(3, 0.5\)"),
    (StepDecay(factor=1.5), "'factor' parameter of StepDecay .* Got 1.5"),
    (Exponential(0.0), "'factor' parameter of Exponential .* Got 0.0"),
    (Polynomial(-1.0), "'power' parameter of Polynomial .* Got -1.0"),
    (Cosine(period=0), "'period' parameter of Cosine .* Got 0"),
    (Cosine(2, 0.5), "'period_factor' parameter of Cosine .* Got 0.5"),
    (
        Cosine(warmup_epochs=2),
        "warmup_epochs=2 of Cosine must be less .* planned epochs, 2",
    ),
    (Polynomial(minimum=1.0), "minimum=1.0 of Polynomial .*learning_rate_init=0.001"),
    (OneCycle(warmup=1), "'warmup' parameter of OneCycle .* Got 1"),
    (OneCycle(anneal="cos"), "'anneal' parameter of OneCycle .* Got 'cos'"),
    (ReduceOnPlateau(1.0), "'factor' parameter of ReduceOnPlateau .* Got 1.0"),
    (ReduceOnPlateau(monitor="loss"), "'monitor' parameter of .* Got 'loss'"),
    (
        ReduceOnPlateau(monitor="validation_loss"),
        "monitor='validation_loss' of ReduceOnPlateau requires a validation set",
    ),
    (Cosine, "'learning_rate' parameter of MLPClassifier"),
    ("cosin", "'learning_rate' parameter of MLPClassifier .* Got 'cosin'"),
]


@pytest.mark.parametrize(("schedule", "message"), WRONG, ids=repr)
def test_wrong_parameters(schedule, message):
    model = make(MLPClassifier, learning_rate=schedule)
    with pytest.raises(ValueError, match=message):
        model.fit(*data_for(MLPClassifier))
    assert not hasattr(model, "network_")


def test_training_uses_the_rate_of_each_update():
    problem, optimizer = Problem(), Steps()
    schedule = Cosine().start(RATE, 2)
    problem.train(optimizer, schedule=schedule, batch_size=N // 2, max_iter=2)
    expected = [0.2 * (1 + math.cos(math.pi * i / 4)) for i in range(4)]
    np.testing.assert_allclose(optimizer.rates, expected)
    assert problem.history.learning_rate_curve == optimizer.rates[1::2]


def test_training_ends_the_epochs_of_a_plateau():
    problem, optimizer = Problem(), Steps()
    schedule = ReduceOnPlateau(0.5, patience=0, tol=1e9).start(1e-3, 4)
    problem.train(optimizer, schedule=schedule, batch_size=N, max_iter=4)
    np.testing.assert_allclose(optimizer.rates, [1e-3, 1e-3, 5e-4, 2.5e-4])


NEW_NAMES = sorted(set(SCHEDULES) - {"constant", "invscaling", "adaptive"})


@quiet
@pytest.mark.parametrize("solver", [*OPTIMIZERS, SGD(0.5)], ids=str)
@pytest.mark.parametrize("name", SCHEDULES)
def test_names_and_objects_for_every_solver(name, solver):
    X, y = data_for(MLPClassifier)
    params = {"solver": solver, "max_iter": 4, "learning_rate_init": 0.01}
    params |= {"tol": 10.0, "n_iter_no_change": 1, "power_t": 0.7}
    named = make(MLPClassifier, learning_rate=name, **params).fit(X, y)
    given = {"invscaling": InverseScaling(0.7)}.get(name, SCHEDULES[name]())
    same = make(MLPClassifier, learning_rate=given, **params).fit(X, y)
    constant = make(MLPClassifier, **params).fit(X, y)
    if name in NEW_NAMES or solver == "sgd":
        np.testing.assert_array_equal(named.network_.vector, same.network_.vector)
        assert named.learning_rate_curve_ == same.learning_rate_curve_
    else:  # as in scikit-learn, these names are for "sgd" alone
        np.testing.assert_array_equal(named.network_.vector, constant.network_.vector)
        assert set(named.learning_rate_curve_) == {0.01}
    if name == "invscaling":
        expected = [0.01 / (60 * epoch + 1) ** 0.7 for epoch in range(same.n_iter_)]
        np.testing.assert_allclose(same.learning_rate_curve_, expected)


@quiet
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_an_object_is_left_alone_and_can_be_searched(cls):
    X, y = data_for(cls)
    schedule = StepDecay(every=1)
    model = make(cls, learning_rate=schedule, max_iter=3).fit(X, y)
    np.testing.assert_allclose(model.learning_rate_curve_, [1e-3, 1e-4, 1e-5])
    assert vars(schedule) == vars(StepDecay(every=1))
    np.testing.assert_array_equal(
        clone(model).fit(X, y).network_.vector, model.network_.vector
    )
    grid = {"learning_rate__factor": [0.5, 0.9], "learning_rate__minimum": [1e-5]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    best = search.best_params_["learning_rate__factor"]
    assert search.best_estimator_.learning_rate_curve_[1] == pytest.approx(1e-3 * best)


@quiet
@pytest.mark.parametrize(
    "schedule",
    [
        Cosine(),
        Polynomial(warmup_epochs=1),
        OneCycle(),
        Exponential(),
        InverseScaling(),
        ReduceOnPlateau(patience=0, tol=10.0),
    ],
    ids=repr,
)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_calls_of_partial_fit_are_epochs(cls, schedule):
    X, y = data_for(cls)
    classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}
    params = {"learning_rate": schedule, "batch_size": 9, "shuffle": False}
    params |= {"max_iter": 4, "n_iter_no_change": np.inf}
    whole = make(cls, **params).fit(X, y)
    parts = make(cls, **params)
    for _ in range(4):
        parts = pickle.loads(pickle.dumps(parts)).partial_fit(X, y, **classes)
    assert parts.learning_rate_curve_ == whole.learning_rate_curve_
    np.testing.assert_array_equal(parts.network_.vector, whole.network_.vector)
    is_planned = isinstance(schedule, (Cosine, OneCycle, Polynomial))
    with pytest.warns(match="planned end") if is_planned else nullcontext():
        parts.partial_fit(X, y, **classes)
    assert len(parts.learning_rate_curve_) == 5


@quiet
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_warm_start_begins_the_schedule_anew(cls):
    X, y = data_for(cls)
    params = {"learning_rate": "polynomial", "batch_size": len(X)}
    model = make(cls, **params, warm_start=True).fit(X, y).fit(X, y)
    curve = model.learning_rate_curve_
    np.testing.assert_allclose(curve, [1e-3, 5e-4, 1e-3, 5e-4])


@pytest.mark.parametrize("name", ["polynomial", "cosine", "one_cycle"])
def test_no_warning_where_the_planned_end_was_reached(name):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, learning_rate=name).fit(X, y)
    assert not model.stopped_
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(1\) reached"):
        model.set_params(learning_rate=Cosine(period=5), max_iter=1).fit(X, y)
