"""Building a network from layer specs and the shapes of X and y."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._checks import check_n_layers
from skconvnet._typing import Rows, Shape
from skconvnet.engine.finite import converted_targets
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.map_targets import MapTargets
from skconvnet.engine.memory_limits import check_network_fits
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network, build_layers
from skconvnet.engine.padded_tokens import PaddedTokens
from skconvnet.engine.ragged import MapList, RaggedInputs
from skconvnet.engine.sample_weights import normalized_weights
from skconvnet.engine.sharded_inputs import ShardedInputs
from skconvnet.engine.text_lists import TextList
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._map_samples import make_map_samples
from skconvnet.estimators._position_weights import PositionWeights
from skconvnet.estimators._sample_shape import with_channels
from skconvnet.initializers import Dirac, Initializer, get_initializer
from skconvnet.layers.base import Layer
from skconvnet.layers.dense import Output
from skconvnet.layers.flatten import Flatten
from skconvnet.params.base import LayerSpec
from skconvnet.params.naming import OUTPUT_NAME
from skconvnet.shards.sharded_array import ShardedArray

# The name of a layer, and its spec or a function that returns the spec for an in_shape.
Entry: TypeAlias = tuple[str, LayerSpec | Callable[[Shape], LayerSpec]]


class LayerStack:
    """A growing stack of specs and the layers built from them.

    Each layer is built once. The spec of the next one may depend on its output shape.

    Parameters
    ----------
    in_shape : tuple of int
        Shape of one sample, channels last.

    Attributes
    ----------
    specs : list of (str, LayerSpec)
        Copies of the given specs, which the user may change later.
    layers : dict of str to Layer
    out_shape : tuple of int
        Output shape of the last layer.
    """

    def __init__(self, in_shape: Shape) -> None:
        self.in_shape = in_shape
        self.specs: list[tuple[str, LayerSpec]] = []
        self.layers: dict[str, Layer[Any]] = {}
        self.out_shape = in_shape

    def add(self, name: str, spec: LayerSpec | Callable[[Shape], LayerSpec]) -> None:
        """Build the next layer, or raise an error that names it."""
        if not isinstance(spec, LayerSpec):
            spec = spec(self.out_shape)
        check_n_layers("This network", len(self.specs) + 1)
        own = (name, self._copied(name, spec))
        self.layers.update(build_layers([own], self.out_shape))
        self.specs.append(own)
        self.out_shape = self.layers[name].out_shape

    def flatten(self) -> None:
        """Add a Flatten unless the output is flat already."""
        if len(self.out_shape) == 1:
            return
        name = "flatten"
        while name in self.layers:
            name += "_output"
        self.add(name, Flatten())

    def _copied(self, name: str, spec: LayerSpec) -> LayerSpec:
        try:
            return copy.deepcopy(spec)
        except TypeError:
            # Of a generator or the like, for which building has a better message.
            build_layers([(name, spec)], self.out_shape)
            raise

    def last_value(self, parameter: str, default: Any) -> Any:  # noqa: ANN401  any
        """Return the value of a parameter in the last layer that sets it."""
        values = [getattr(spec, parameter, None) for _, spec in self.specs]
        return next((value for value in reversed(values) if value), default)

    def initializer_of_output(self) -> str | Initializer:
        """Return the initializer of the last layer that has one.

        It is "auto" instead of `Dirac`, which would take features for scores.
        """
        last: str | Initializer = self.last_value("kernel_initializer", "auto")
        return "auto" if isinstance(get_initializer(last), Dirac) else last


def build_stack(entries: Sequence[Entry], in_shape: Shape) -> LayerStack:
    """Return the layers between input and output."""
    stack = LayerStack(in_shape)
    for name, entry in entries:
        stack.add(name, entry)
    return stack


def build_network(
    entries: Sequence[Entry],
    in_shape: Shape,
    n_outputs: int,
    dtype: npt.DTypeLike,
    kernel_initializer: str | Initializer | None = None,
    *,
    n_copies: float = 1,
    predicts_maps: bool = False,
) -> Network:
    """Build a network of the given layers and an output layer.

    If the last layer returns maps, a Flatten is inserted before the output layer,
    unless the network `predicts_maps`.

    Parameters
    ----------
    entries : sequence of (str, spec)
        The layers between input and output.
    in_shape : tuple of int
        Shape of one sample, channels last.
    n_outputs : int
    dtype : dtype
    kernel_initializer : str or Initializer, optional
        Initializer of the output layer. By default it is the one of the last layer that
        has one, or "auto" if that is `Dirac`.
    n_copies : float, default=1
        How many vectors of the size of the weights will be needed.
    predicts_maps : bool, default=False
        Whether y has targets for each position of the maps that the last layer returns.

    Raises
    ------
    ValueError
        If the network cannot fit into the memory of this machine.
    """
    stack = build_stack(entries, in_shape)
    output = Output(
        n_outputs,
        kernel_initializer=kernel_initializer or stack.initializer_of_output(),
        hidden_activation=stack.last_value("activation", "relu"),
    )
    if not predicts_maps:
        stack.flatten()
    stack.add(OUTPUT_NAME, output)
    check_network_fits(stack.layers, dtype, n_copies)
    return Network(stack.specs, in_shape, dtype, layers=stack.layers)


def rebuild_network(
    old: Network,
    entries: Sequence[Entry],
    n_outputs: int,
    kernel_initializer: str | Initializer | None = None,
    *,
    owner: str,
) -> Network:
    """Build a network of `entries` with a copy of the weights of the old network.

    `owner` is the class name of the estimator, for error messages.

    Raises
    ------
    ValueError
        If the weights of the entries have other names or shapes.
    """
    network = build_network(
        entries,
        old.in_shape,
        n_outputs,
        old.dtype,
        kernel_initializer,
        predicts_maps=old.predicts_maps,
    )
    if network.shapes != old.shapes:
        raise ValueError(
            f"The layers of this {owner} were changed since it was fitted, so training "
            "cannot continue from its weights: they have shapes "
            f"{old.shapes}, but the new layers need {network.shapes}. "
            "Set warm_start=False and call fit, or reset the parameters."
        )
    network.copy_from(old)
    return network


def make_inputs(
    network: Network,
    X: CheckedX,
    name: str = "X",
    *,
    channels_first: bool = False,
) -> Inputs:
    """Return the reader of the samples of a validated X, called `name` in errors.

    If `channels_first`, X has the channels before the spatial axes.
    """
    token = network.chain.padding_token
    if isinstance(X, MapList):
        maps = with_channels(X, network.in_shape)
        if network.ends_at_padding:
            assert token is not None
            return TextList(
                maps,
                network.in_shape,
                network.dtype,
                name,
                padding_token=token,
                shortest_length=1 if network.predicts_maps else network.shortest_length,
                fits=network.fits,
            )
        fill = 0 if token is None else token
        return RaggedInputs(
            maps,
            network.in_shape,
            network.dtype,
            name,
            padding_value=fill,
            fits=network.fits,
        )
    if isinstance(X, ShardedArray):
        if network.ends_at_padding:
            raise TypeError(
                f"{name} is read shard by shard, where rows cannot be cut off where "
                "their padding begins. Call fit of the estimator with tokens in "
                "memory, which take little of it."
            )
        inputs_type: type[Inputs] = X.inputs_type or ShardedInputs
        return inputs_type(
            X, network.in_shape, network.dtype, name, channels_first=channels_first
        )
    if network.ends_at_padding and isinstance(X, np.ndarray):
        assert token is not None
        return PaddedTokens(
            X,
            network.in_shape,
            network.dtype,
            name,
            padding_token=token,
            shortest_length=network.shortest_length,
            cuts_off=not network.predicts_maps,
        )
    return Inputs(
        X, network.in_shape, network.dtype, name, channels_first=channels_first
    )


def make_samples(
    network: Network,
    X: CheckedX,
    targets: Rows | MapTargets,
    weights: PositionWeights | None,
    *,
    channels_first: bool = False,
    suffix: str = "",
) -> Samples:
    """Return the samples of a validated X, with their targets and weights.

    `suffix` is "_val" for a validation set, whose arrays are named X_val and so on.
    """
    inputs = make_inputs(network, X, f"X{suffix}", channels_first=channels_first)
    if isinstance(targets, MapTargets):
        return make_map_samples(network, inputs, targets, weights, suffix)
    assert not isinstance(weights, MapList)
    if weights is not None:
        weights = normalized_weights(weights, network.dtype)
    targets = converted_targets(targets, network.dtype, f"y{suffix}")
    return Samples(inputs, targets, weights)
