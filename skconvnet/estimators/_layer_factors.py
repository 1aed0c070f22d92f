"""`layer_learning_rates` and `layer_alphas`: factors for layers, by their names."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from skconvnet._checks import check_nonnegative_float, shown
from skconvnet._suggestions import did_you_mean
from skconvnet.engine.network import Network
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.optimizers import LBFGS, OPTIMIZERS, Optimizer


def rate_factors(params: TrainingParams, network: Network) -> dict[str, float]:
    """Return the factors of `layer_learning_rates`, by the names of arrays."""
    arrays = network.weights
    return _by_array("layer_learning_rates", params.layer_learning_rates, arrays)


def alpha_factors(params: TrainingParams, network: Network) -> dict[str, float]:
    """Return the factors of `layer_alphas`, by the names of arrays that it concerns.

    They are those that `alpha` shrinks. An optimizer's weight decay shrinks all.
    """
    arrays = network.weights if _decays(params.solver) else network.chain.penalized
    return _by_array("layer_alphas", params.layer_alphas, arrays)


def _decays(solver: str | Optimizer | LBFGS) -> bool:
    """Whether the solver shrinks all weights by itself."""
    if isinstance(solver, str):
        return solver in OPTIMIZERS and OPTIMIZERS[solver]().decays_weights
    return isinstance(solver, Optimizer) and solver.decays_weights


def check_no_rate_factors(params: TrainingParams) -> None:
    """Raise a ValueError if there are factors for a solver without a learning rate."""
    if params.layer_learning_rates:
        raise ValueError(
            f"layer_learning_rates={shown(params.layer_learning_rates)} must be None "
            "with solver='lbfgs', which has no learning rate. Choose another solver, "
            "such as 'adam'."
        )


def _by_array(
    parameter: str, factors: Mapping[str, float] | None, arrays: Collection[str]
) -> dict[str, float]:
    """Return the factor of each array that has one.

    A name stands for all arrays that it is, or that it begins up to a slash. If there
    are several such names, the longest counts.
    """
    factors = factors or {}
    found: dict[str, float] = {}
    for name in sorted(factors, key=lambda name: len(str(name))):
        own = [array for array in arrays if _is_part_of(array, name)]
        if not own:
            raise ValueError(_unknown(parameter, name, arrays))
        factor = check_nonnegative_float(f"{parameter}[{name!r}]", factors[name])
        found.update(dict.fromkeys(own, factor))
    return found


def _is_part_of(array: str, name: object) -> bool:
    return array == name or array.startswith(f"{name}/")


def _unknown(parameter: str, name: object, arrays: Collection[str]) -> str:
    layers = dict.fromkeys(array.partition("/")[0] for array in arrays)
    penalized = "weights that alpha or the solver's weight decay shrinks"
    kind = penalized if parameter == "layer_alphas" else "weights"
    return (
        f"{parameter} has {name!r}, which is no layer with {kind}; these are "
        f"{', '.join(map(repr, layers))}. Names of arrays, as in get_weights, are "
        f"allowed as well.{did_you_mean(str(name), [*layers, *arrays])}"
    )
