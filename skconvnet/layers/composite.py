"""Layers made of layers: branches side by side, and a way around."""

from __future__ import annotations

from typing import Any

from skconvnet.layers.chain import Chain
from skconvnet.params.base import LayerSpec
from skconvnet.params.naming import check_layers
from skconvnet.params.nested import named_entries, nested_params, replaced


class CompositeSpec(LayerSpec):
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
