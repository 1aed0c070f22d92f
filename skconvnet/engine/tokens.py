"""Layers that take tokens, whose numbers have no gradient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from skconvnet.engine.network import Network
from skconvnet.layers.base import Layer
from skconvnet.layers.composite import CompositeLayer


def token_layers(network: Network, start: int = 0) -> list[str]:
    """Return the names of the layers that take tokens, from position `start` on.

    Those of layers inside layers are written as in the names of their weights.
    """
    return list(_names(list(network.layers.items())[start:]))


def _names(layers: Iterable[tuple[str, Layer[Any]]]) -> Iterator[str]:
    for name, layer in layers:
        if not isinstance(layer, CompositeLayer):
            if layer.takes_tokens:
                yield name
        else:
            for branch, chain in layer.chains.items():
                prefix = f"{name}/{branch}/" if branch else f"{name}/"
                for inner in _names(chain.layers.items()):
                    yield f"{prefix}{inner}"


def refuse_tokens(network: Network, start: int = 0, hint: str | None = None) -> None:
    """Raise a ValueError if a layer from position `start` on takes tokens.

    `hint` says what to do instead. By default it is what `attribute` can do.
    """
    names = token_layers(network, start)
    if not names:
        return
    if hint is None:
        hint = "Use method='occlusion', which needs no gradient."
    raise ValueError(
        f"Layer {names[0]!r} looks up tokens. A score has no gradient with respect to "
        f"the number of a token. {hint}"
    )
