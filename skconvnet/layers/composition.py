"""Layers made of layers: branches side by side, and a way around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from skconvnet._nested import is_list, named_entries, nested_params, replaced
from skconvnet._spec import Spec, check_layers
from skconvnet.layers.base import Layer, map_shape
from skconvnet.layers.branches import BranchedLayer
from skconvnet.layers.chain import Chain
from skconvnet.layers.convolution import Conv1D, Conv2D, Conv3D
from skconvnet.layers.dense import Dense
from skconvnet.ops.workspace import Workspace

_CONVOLUTIONS = {1: Conv1D, 2: Conv2D, 3: Conv3D}


class _Composition(Spec):
    """A spec whose parameters include other specs, in lists."""

    def _entries(self) -> list[tuple[str, Any]]:
        """The named layers or lists of layers."""
        raise NotImplementedError

    def _replace(self, entries: list[tuple[str, Any]]) -> None:
        """Take other entries in their place."""
        raise NotImplementedError

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with those of the layers inside if `deep`.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add each entry under its name, and each of its parameters as
            ``name__parameter``.
        """
        params = super().get_params(deep=False)
        return {**params, **nested_params(self._entries())} if deep else params

    def set_params(self, **params: Any) -> Any:
        """Set parameters of the layer, or of the layers inside.

        Parameters
        ----------
        **params : dict
            The lists given before are never written to.
        """
        own = {key: params.pop(key) for key in self._get_param_names() if key in params}
        super().set_params(**own)
        others = replaced(self._entries(), params)
        if others is not None:
            self._replace(others)
        return self

    @property
    def spatial_ndim(self) -> int | None:  # type: ignore[override]
        return _spatial_ndim(self._entries())


def _spatial_ndim(entries: Any) -> int | None:
    for _, entry in entries:
        if isinstance(entry, Spec):
            ndim = entry.spatial_ndim
        else:
            ndim = _spatial_ndim(named_entries(entry))
        if ndim is not None:
            return ndim
    return None


@dataclass(eq=False, repr=False)
class Parallel(_Composition):
    """Branches of layers that take the same input, joined along the channels.

    The Inception module of GoogLeNet [1]_ is one: 1x1, 3x3 and 5x5 convolutions and a
    pooling side by side. Weights are named ``"branch/layer/array"`` within the layer,
    parameters ``branch__layer__parameter``.

    Parameters
    ----------
    branches : list of (str, layers)
        Each with a list of layers, named or not, or a single layer; an empty list
        hands on the input. All put out maps of the same size (`padding="same"`), of
        any numbers of channels, or flat features.

    References
    ----------
    .. [1] C. Szegedy et al., "Going deeper with convolutions", CVPR 2015.

    Examples
    --------
    >>> from skconvnet.layers import Conv2D, MaxPool2D, Parallel
    >>> inception = Parallel([
    ...     ("b1", Conv2D(64, 1, activation="relu")),
    ...     ("b3", [("reduce", Conv2D(96, 1, activation="relu")),
    ...             ("conv", Conv2D(128, 3, padding="same", activation="relu"))]),
    ...     ("pool", [MaxPool2D(3, 1, "same"), Conv2D(32, 1, activation="relu")]),
    ... ])
    >>> inception.build((28, 28, 192)).out_shape
    (28, 28, 224)
    >>> inception.set_params(b3__conv__filters=64).build((28, 28, 192)).out_shape
    (28, 28, 160)
    """

    branches: Any = field(default_factory=list)

    def _entries(self) -> list[tuple[str, Any]]:
        if not is_list(self.branches):
            return []
        return [entry for entry in self.branches if _is_branch(entry)]

    def _replace(self, entries: list[tuple[str, Any]]) -> None:
        self.branches = entries

    def build(self, in_shape: tuple[int, ...]) -> Layer:
        if not is_list(self.branches) or not self.branches:
            raise TypeError(
                "branches must be a list of (name, layers) tuples, such as [('b1', "
                f"[Conv2D(8, 1)]), ('b3', [Conv2D(8, 3)])]; got {self.branches!r}."
            )
        chains: dict[str, Chain] = {}
        for position, branch in enumerate(self.branches):
            if not _is_branch(branch):
                raise TypeError(
                    f"branches[{position}] must be a (name, layers) tuple with a name "
                    f"without '__' and '/'; got {branch!r}."
                )
            name, layers = branch
            if name in chains:
                raise ValueError(
                    f"branches has two branches named {name!r}; names must be unique."
                )
            chains[name] = _chain(f"branch {name!r}", layers, in_shape)
        first, *others = chains
        shape = chains[first].out_shape
        for name in others:
            other = chains[name].out_shape
            if other[:-1] != shape[:-1]:
                raise ValueError(
                    f"branch {name!r} puts out shape {other}, but branch {first!r} "
                    f"{shape}: all but the channels must be equal. Use padding='same' "
                    "and equal strides in all branches."
                )
        channels = sum(chain.out_shape[-1] for chain in chains.values())
        return ParallelLayer(in_shape, (*shape[:-1], channels), chains)


class ParallelLayer(BranchedLayer):
    def join(
        self, ys: Sequence[np.ndarray], x: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), ys[0].dtype)
        return np.concatenate(ys, axis=0, out=y)

    def divide(self, dy: np.ndarray, workspace: Workspace) -> list[np.ndarray]:
        ends = np.cumsum([chain.out_shape[-1] for chain in self.chains.values()])
        return np.split(dy, ends[:-1], axis=0)


@dataclass(eq=False, repr=False)
class Residual(_Composition):
    """Layers with a way around them: ``layers(x) + shortcut(x)`` [1]_.

    Weights are named ``"layer/array"`` within the layer, those on the way around
    ``"shortcut/layer/array"``. An activation behind the sum is a layer of its own.

    Parameters
    ----------
    layers : list of layers or of (str, layer) tuples
    shortcut : {"auto", "identity", "projection"} or list of layers, default="auto"
        The way around. "identity" is the input itself, for layers that keep its
        shape; "projection" is a convolution of 1x1 cells, with strides where the map
        shrinks, or a Dense layer for features. "auto" is the identity where it fits,
        else the projection.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image
       recognition", CVPR 2016.

    Examples
    --------
    >>> from skconvnet.layers import Conv2D, Residual
    >>> block = Residual([
    ...     ("conv1", Conv2D(64, 3, 2, "same", activation="relu")),
    ...     ("conv2", Conv2D(64, 3, padding="same")),
    ... ])
    >>> sorted(block.build((28, 28, 32)).weight_shapes)[-1]
    'shortcut/projection/kernel'
    >>> block.set_params(conv1__filters=32).build((28, 28, 32)).out_shape
    (14, 14, 64)
    """

    layers: Any = field(default_factory=list)
    shortcut: Any = "auto"

    def _entries(self) -> list[tuple[str, Any]]:
        entries = named_entries(self.layers)
        if is_list(self.shortcut):
            entries = [*entries, ("shortcut", self.shortcut)]
        return entries

    def _replace(self, entries: list[tuple[str, Any]]) -> None:
        if is_list(self.shortcut):
            self.shortcut = entries.pop()[1]
        self.layers = entries

    def build(self, in_shape: tuple[int, ...]) -> Layer:
        main = Chain(check_layers(self.layers, {"shortcut"}), in_shape)
        shortcut = _chain("shortcut", self._shortcut(in_shape, main), in_shape)
        if shortcut.out_shape != main.out_shape:
            raise ValueError(
                f"the layers put out shape {main.out_shape}, but shortcut="
                f"{self.shortcut!r} has shape {shortcut.out_shape}, so they cannot be "
                "added. Use shortcut='projection', padding='same' in the layers, or a "
                "list of layers as the shortcut."
            )
        return ResidualLayer(in_shape, main.out_shape, {"": main, "shortcut": shortcut})

    def _shortcut(self, in_shape: tuple[int, ...], main: Chain) -> Any:
        shortcut, out_shape = self.shortcut, main.out_shape
        if is_list(shortcut) or isinstance(shortcut, Spec):
            return shortcut
        if shortcut not in ("auto", "identity", "projection"):
            raise ValueError(
                "shortcut must be 'auto', 'identity', 'projection' or a list of "
                f"layers; got {shortcut!r}."
            )
        fits = out_shape == in_shape
        if shortcut == "identity" or (shortcut == "auto" and fits):
            return []
        if len(in_shape) != len(out_shape):
            raise ValueError(
                f"shortcut={shortcut!r} finds no projection from shape {in_shape} to "
                f"{out_shape}; give a list of layers as the shortcut."
            )
        if len(in_shape) == 1:
            return [("projection", Dense(out_shape[-1]))]
        strides = _strides(main, len(in_shape) - 1)
        convolution = _CONVOLUTIONS[len(strides)]
        return [("projection", convolution(out_shape[-1], 1, strides, "same"))]


class ResidualLayer(BranchedLayer):
    def join(
        self, ys: Sequence[np.ndarray], x: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        y = workspace.array("y", ys[0].shape, ys[0].dtype)
        return np.add(ys[0], ys[1], out=y)

    def divide(self, dy: np.ndarray, workspace: Workspace) -> list[np.ndarray]:
        copy = workspace.array("dshortcut", dy.shape, dy.dtype)
        np.copyto(copy, dy)
        return [dy, copy]


def _strides(chain: Chain, ndim: int) -> tuple[int, ...]:
    """Steps along each axis from one output of the chain to the next, 1 if it grows."""
    product = _product_of_strides(chain, ndim)
    return tuple(int(s) if s.denominator == 1 else 1 for s in product)


def _product_of_strides(chain: Chain, ndim: int) -> tuple[Fraction, ...]:
    product = (Fraction(1),) * ndim
    for layer in chain.layers.values():
        own: tuple[int | Fraction, ...] = layer.strides
        if isinstance(layer, BranchedLayer):
            own = _product_of_strides(next(iter(layer.chains.values())), ndim)
        if len(own) == ndim:
            product = tuple(p * s for p, s in zip(product, own, strict=True))
    return product


def _is_branch(entry: Any) -> bool:
    is_pair = isinstance(entry, tuple) and len(entry) == 2
    if not is_pair or not isinstance(entry[0], str) or not entry[0]:
        return False
    return "__" not in entry[0] and "/" not in entry[0]


def _chain(where: str, layers: Any, in_shape: tuple[int, ...]) -> Chain:
    """Build a chain, with its place before the message of any error."""
    try:
        specs = check_layers([layers] if isinstance(layers, Spec) else layers)
        return Chain(specs, in_shape)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from error
