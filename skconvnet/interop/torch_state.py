"""Weights as the state of a network of PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from skconvnet.interop.counterparts import Arrays, Counterpart, ForeignModule
from skconvnet.interop.estimators import (
    Estimator,
    Weights,
    checked_network,
    in_units_of_network,
    in_units_of_y,
    is_binary,
)
from skconvnet.interop.foreign_values import as_array, check_state, listed
from skconvnet.interop.torch_layers import torch_counterparts
from skconvnet.interop.torch_names import (
    Groups,
    Match,
    check_names,
    grouped,
    matched,
    named_matches,
    own_matches,
)
from skconvnet.interop.variants import as_ours, as_theirs, without_padding
from skconvnet.layers.embedding import EmbeddingLayer
from skconvnet.params.naming import OUTPUT_NAME

_E = TypeVar("_E", bound=Estimator)


def to_torch_state(
    est: Estimator,
    *,
    names: Mapping[str, str | Sequence[str]] | None = None,
    like: Mapping[str, Any] | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """Return the weights of an estimator as the state of a network of PyTorch.

    The network must have the same layers, of which those with weights are ``Linear``,
    ``Conv1d``, ``ConvTranspose1d``, ``BatchNorm1d``, ``InstanceNorm1d``,
    ``GroupNorm``, ``LayerNorm``, ``RMSNorm``, ``PReLU``, ``Embedding``,
    ``EmbeddingBag``, ``LSTM``, ``GRU``, ``RNN``, ``MultiheadAttention`` and
    ``TransformerEncoderLayer``, and the same for more axes. Its maps are channels
    first: the rows of a dense layer after `Flatten` are put into that order. Separable
    convolutions are two modules, the first without a bias. Attention is two modules,
    and learned positional encodings are an ``Embedding``; both have the channels last,
    with ``batch_first=True``.

    The network returns what `decision_function` returns, or for a regressor what
    `predict` returns. Layers without weights that are learned are not in the state: for
    a ConvNet with ``rescale="auto"``, pass the network ``est.activations(X,
    "rescale")``.

    Parameters
    ----------
    est : estimator
        Any estimator of skconvnet that is fitted or initialized.
    names : mapping of str to str, default=None
        For each layer that is wanted, the name of the module, such as ``{"conv1":
        "features.0"}``. A layer inside of another is ``"branch/layer"``. A layer that
        is two modules has a list of two names. None stands for all layers, under their
        own names, with dots: ``"mix.branch.conv.weight"``.
    like : mapping of str to tensor, default=None
        ``network.state_dict()`` of the network that the weights are for. Its names are
        used, in the order of the layers unless `names` says otherwise, and its shapes
        are checked.

    Returns
    -------
    state : dict of str to ndarray
        Copies. ``network.load_state_dict`` takes ``{name: torch.from_numpy(array)}``.

    Raises
    ------
    ValueError
        If a layer has no counterpart in PyTorch, or `like` is of another network.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import SequentialClassifier
    >>> from skconvnet.interop import to_torch_state
    >>> from skconvnet.layers import Conv2D, Flatten
    >>> layers = [("conv1", Conv2D(4, 3, activation="relu")), ("flatten", Flatten())]
    >>> clf = SequentialClassifier(layers, random_state=0)
    >>> clf = clf.initialize(np.zeros((3, 8, 8, 1)), ["a", "b", "c"])
    >>> {name: array.shape for name, array in to_torch_state(clf).items()}
    {'conv1.weight': (4, 1, 3, 3), 'conv1.bias': (4,),
     'output.weight': (3, 144), 'output.bias': (3,)}
    """
    network = checked_network(est)
    check_names(names, network)
    counterparts = torch_counterparts(network, names)
    weights = in_units_of_y(est, est.get_weights())
    groups = None if like is None else grouped(check_state(like, "like"))
    if groups is not None:
        matches = matched(counterparts, groups, names)
    elif names is not None:
        matches = named_matches(counterparts, names)
    else:
        matches = own_matches(counterparts)
    state: dict[str, npt.NDArray[Any]] = {}
    for own, module, prefix in matches:
        begin = f"{prefix}." if prefix else ""
        parts: dict[str, list[npt.NDArray[Any]]] = {}
        for array in module.arrays:
            values = weights[own.own_name(array)]
            if isinstance(own.layer, EmbeddingLayer):
                values = without_padding(own, values)
            parts.setdefault(array.theirs, []).append(array.arrange(values))
        arrays: Arrays = {
            name: np.concatenate(own_parts) for name, own_parts in parts.items()
        }
        for name, values in module.separated(arrays).items():
            state[begin + name] = values
        for constant in module.constants:
            state[begin + constant] = np.array(0)
    if groups is None:
        return state
    return _as_in(groups, state, matches, binary=is_binary(est))


def from_torch_state(
    est: _E,
    state: Mapping[str, Any],
    *,
    names: Mapping[str, str | Sequence[str]] | None = None,
) -> _E:
    """Replace the weights of an estimator by the state of a network of PyTorch.

    The network must have the same layers, see `to_torch_state`. Modules are matched
    with layers by `names`, else by the names that `to_torch_state` gives if all of them
    are these, else in order. After that, the estimator is as after `set_weights`.

    A module without a bias (``bias=False``) gives one of zeros, a batch or layer
    normalization without weights (``affine=False``) gives a factor of one. A bias
    between the two modules of a separable convolution is moved to the second one. The
    two outputs of a softmax for two classes give one output, their difference. The
    buffers of `Standardize`, which ``rescale="auto"`` of a ConvNet is, are left as they
    are.

    Parameters
    ----------
    est : estimator
        An estimator of skconvnet that is fitted or initialized, so that its network is
        known.
    state : mapping of str to tensor or array
        ``network.state_dict()``, or arrays under the same names. Tensors may have any
        dtype and device.
    names : mapping of str to str, default=None
        For each layer to replace, the name of the module, as in `to_torch_state`.
        Layers that are not mentioned keep their weights, and other modules are left
        out. None stands for all layers.

    Returns
    -------
    est : estimator
        The same estimator.

    Raises
    ------
    ValueError
        If modules or shapes do not fit; all that do not are listed. No weight is
        changed then.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import MLPClassifier
    >>> from skconvnet.interop import from_torch_state
    >>> X, y = np.eye(2), [0, 1]
    >>> clf = MLPClassifier((3,)).initialize(X, y)
    >>> state = {"0.weight": np.ones((3, 2)), "0.bias": np.zeros(3),
    ...          "2.weight": np.ones((1, 3)), "2.bias": np.array([-4])}
    >>> from_torch_state(clf, state).decision_function(X)
    array([-1., -1.])
    """
    network = checked_network(est)
    check_names(names, network)
    counterparts = torch_counterparts(network, names)
    arrays = {
        key: as_array(value, f"state[{key!r}]")
        for key, value in check_state(state, "state").items()
    }
    groups = grouped(arrays)
    by_layer: dict[str, list[Match]] = {}
    for match in matched(counterparts, groups, names):
        by_layer.setdefault(match[0].name, []).append(match)
    weights: Weights = {}
    problems: list[str] = []
    for name, matches in by_layer.items():
        binary = name == OUTPUT_NAME and is_binary(est)
        modules = [groups[prefix] for _, _, prefix in matches]
        similar = as_ours(matches[0][0], modules, binary=binary)
        for match, given in zip(matches, similar, strict=True):
            _read(match, given, weights, problems)
    if problems:
        raise ValueError(
            f"The state does not fit the network of this {type(est).__name__}: "
            f"{listed(problems, '; ')}. No weight was changed."
        )
    est.set_weights(in_units_of_network(est, weights))
    return est


def _read(match: Match, given: Arrays, weights: Weights, problems: list[str]) -> None:
    """Add the arrays of a module to `weights`, or what is wrong to `problems`."""
    own, module, prefix = match
    where = f"module {prefix!r} for layer {own.name!r} ({module.kind})"
    known = {*(array.theirs for array in module.arrays), *module.constants}
    unknown = [name for name in given if name not in known]
    if unknown:
        problems.append(f"{where} has {', '.join(map(repr, unknown))}")
    for array in module.arrays:
        own_shape = own.own_shape(array)
        shape = array.shape(own_shape)
        values = given.get(array.theirs)
        if values is None and array.default is None:
            _add(problems, f"{where} has no {array.theirs!r}")
        elif values is not None and values.shape != shape:
            _add(
                problems,
                f"{where}: {array.theirs!r} must have shape {shape}, but has shape "
                f"{values.shape}",
            )
        else:
            if values is None:
                values = np.full(shape, array.default)
            weights[own.own_name(array)] = array.inverse(values, own_shape)


def _add(problems: list[str], problem: str) -> None:
    """Add a problem once, also if it is found for several arrays of ours."""
    if problem not in problems:
        problems.append(problem)


def _as_in(
    groups: Groups,
    state: Mapping[str, npt.NDArray[Any]],
    matches: Sequence[Match],
    *,
    binary: bool,
) -> dict[str, npt.NDArray[Any]]:
    """Return a state with the names of a given one, or raise an error if it differs."""
    fitting: dict[str, npt.NDArray[Any]] = {}
    problems: list[str] = []
    for own, module, prefix in matches:
        begin = f"{prefix}." if prefix else ""
        is_output = binary and own.name == OUTPUT_NAME
        for name, like in groups[prefix].items():
            values = state.get(begin + name)
            shape = tuple(np.shape(like))
            if values is None and name == "bias":  # between two convolutions
                values = np.zeros(shape, state[begin + module.arrays[0].theirs].dtype)
            if values is None:
                problems.append(f"{begin + name!r} is not known for {module.kind}")
                continue
            values = as_theirs(own, values, shape, binary=is_output)
            if values.shape != shape:
                problems.append(
                    f"{begin + name!r} has shape {shape}, but layer {own.name!r} "
                    f"({module.kind}) gives {values.shape}"
                )
            fitting[begin + name] = values
        for name, default in _defaults(module, own).items():
            key = begin + name
            if key not in fitting and name not in groups[prefix]:
                neutral = default is not None and np.all(state[key] == default)
                if not neutral:
                    problems.append(
                        f"{key!r} is not in it, but layer {own.name!r} needs it"
                    )
    if problems:
        raise ValueError(
            f"like is the state of another network: {listed(problems, '; ')}."
        )
    return fitting


def _defaults(module: ForeignModule, own: Counterpart) -> dict[str, float | None]:
    """Return the default of each array, as PyTorch has them."""
    found: dict[str, float | None] = {}
    for array in module.arrays:
        shape = array.shape(own.own_shape(array))
        for name in module.separated({array.theirs: np.empty(shape)}):
            found[name] = array.default
    return found
