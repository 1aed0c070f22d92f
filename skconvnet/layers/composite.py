"""Specs of layers that consist of other layers."""

from __future__ import annotations

from dataclasses import dataclass

from skconvnet._typing import Shape, override
from skconvnet.layers.chain import Chain
from skconvnet.params.base import LayerSpec, TrainableSpec
from skconvnet.params.naming import check_layers
from skconvnet.params.nested import Entries, NestedParams, named_entries


@dataclass(eq=False, repr=False)
class CompositeSpec(NestedParams, TrainableSpec):
    """A spec whose parameters include other specs, in lists."""

    @property
    @override
    def spatial_ndim(self) -> int | None:  # type: ignore[override]  # not a ClassVar
        return _spatial_ndim(self._entries())


def _spatial_ndim(entries: Entries) -> int | None:
    """Return the `spatial_ndim` of the first entry that has one."""
    for _, entry in entries:
        if isinstance(entry, LayerSpec):
            ndim = entry.spatial_ndim
        else:
            ndim = _spatial_ndim(named_entries(entry))
        if ndim is not None:
            return ndim
    return None


def is_branch(entry: object) -> bool:
    """Return whether an entry of a list is a pair that begins with a valid name."""
    if not isinstance(entry, tuple) or len(entry) != 2:
        return False
    name = entry[0]
    is_name = isinstance(name, str) and name != ""
    return is_name and "__" not in name and "/" not in name


def build_chain(where: str, layers: object, in_shape: Shape) -> Chain:
    """Build a chain; the message of any error begins with `where`."""
    try:
        specs = check_layers([layers] if isinstance(layers, LayerSpec) else layers)
        return Chain(specs, in_shape)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from error
