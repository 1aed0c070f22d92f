"""Specs of layers that are made of other layers."""

from __future__ import annotations

from typing import Any

from skconvnet._typing import Shape, override
from skconvnet.layers.chain import Chain
from skconvnet.params.base import LayerSpec
from skconvnet.params.naming import check_layers
from skconvnet.params.nested import named_entries, nested_params, replaced


class CompositeSpec(LayerSpec):
    """A spec whose parameters include other specs, in lists."""

    def _entries(self) -> list[tuple[str, Any]]:
        """Return the named layers or lists of layers."""
        raise NotImplementedError

    def _replace(self, entries: list[tuple[str, Any]]) -> None:
        """Replace all entries."""
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
            The lists given before are never modified.
        """
        own = {key: params.pop(key) for key in self._get_param_names() if key in params}
        super().set_params(**own)
        others = replaced(self._entries(), params)
        if others is not None:
            self._replace(others)
        return self

    @property
    @override
    def spatial_ndim(self) -> int | None:  # type: ignore[override]  # not a ClassVar
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


def is_branch(entry: object) -> bool:
    """Tell whether an entry of a list is a pair that begins with a valid name."""
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
