"""Layers made of layers: branches side by side, and a way around."""

from __future__ import annotations

from typing import Any

from skconvnet.layers.chain import Chain
from skconvnet.params.base import LayerSpec
from skconvnet.params.naming import check_layers
from skconvnet.params.nested import NestedParams, named_entries


class CompositeSpec(NestedParams, LayerSpec):
    """A spec whose parameters include other specs, in lists."""

    @property
    def spatial_ndim(self) -> int | None:  # type: ignore[override]
        return _spatial_ndim(self._entries())


def _spatial_ndim(entries: Any) -> int | None:
    for _, entry in entries:
        if isinstance(entry, LayerSpec):
            ndim = entry.spatial_ndim
        else:
            ndim = _spatial_ndim(named_entries(entry))
        if ndim is not None:
            return ndim
    return None


def is_branch(entry: Any) -> bool:
    is_pair = isinstance(entry, tuple) and len(entry) == 2
    if not is_pair or not isinstance(entry[0], str) or not entry[0]:
        return False
    return "__" not in entry[0] and "/" not in entry[0]


def build_chain(where: str, layers: Any, in_shape: tuple[int, ...]) -> Chain:
    """Build a chain, with its place before the message of any error."""
    try:
        specs = check_layers([layers] if isinstance(layers, LayerSpec) else layers)
        return Chain(specs, in_shape)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}") from error
