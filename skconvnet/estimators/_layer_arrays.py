"""`coefs_` and `intercepts_`: lists of arrays whose items can be assigned.

In scikit-learn, these are ordinary lists which own the weights. Here the network owns
them, and a list is made whenever it is asked for. An item that is assigned must
therefore be written into the network, or the assignment would be lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import index
from typing import Any, NoReturn, SupportsIndex

import numpy.typing as npt

from skconvnet._typing import override
from skconvnet.engine.network import Network
from skconvnet.estimators._introspection import checked_copy, write_arrays


class LayerArrays(list[npt.NDArray[Any]]):
    """The arrays of one kind in a network, from the first layer to the last.

    The items are views of the weights, and assigning to an item writes into them. The
    length cannot change. Copies, pickles and slices are ordinary lists.

    Parameters
    ----------
    network : Network
    kind : str
        The name of the array in each layer, such as "kernel".
    name : str
        The name of the list, for error messages.

    Examples
    --------
    >>> from skconvnet.layers import Dense
    >>> network = Network([("a", Dense(2)), ("b", Dense(1))], (1,), "float64")
    >>> coefs = LayerArrays(network, "kernel", "coefs_")
    >>> coefs[0] = [[3.0, 4.0]]
    >>> network.weights["a/kernel"]
    array([[3., 4.]])
    """

    def __init__(self, network: Network, kind: str, name: str) -> None:
        weights = network.weights.items()
        super().__init__(view for key, view in weights if key.endswith(f"/{kind}"))
        self._network = network
        self._name = name

    def replace(self, values: object) -> None:
        """Write an array into each item; if one is invalid, write none of them."""
        self._write(range(len(self)), values)

    @override
    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            self._write(range(len(self))[key], value)
        else:
            position = range(len(self))[_checked_index(key, self._name, len(self))]
            self._write([position], [value])

    def _write(self, positions: Sequence[int], values: object) -> None:
        if not isinstance(values, Iterable) or isinstance(values, str | bytes):
            raise TypeError(
                f"{self._name} must be a list of arrays, one per layer; got {values!r}."
            )
        arrays = list(values)
        if len(arrays) != len(positions):
            raise ValueError(
                f"{self._name} needs {len(positions)} arrays here, of shapes "
                f"{[self[i].shape for i in positions]}; got {len(arrays)}."
            )
        new = [
            checked_copy(array, self[i], f"{self._name}[{i}]")
            for i, array in zip(positions, arrays, strict=True)
        ]
        owns = [self[i] for i in positions]
        write_arrays(self._network, zip(owns, new, strict=True))

    @override
    def __reduce_ex__(self, _protocol: SupportsIndex) -> tuple[Any, ...]:
        return list, (list(self),)


def _checked_index(key: SupportsIndex, name: str, length: int) -> int:
    position = index(key)
    if not -length <= position < length:
        raise IndexError(f"{name} has {length} arrays; got the index {position}.")
    return position


def _refusal(method: str) -> Callable[..., NoReturn]:
    def refuse(self: LayerArrays, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            f"{self._name} has one array per layer, so {method} is not possible: "
            f"assign to its items, or use list({self._name})."
        )

    refuse.__name__ = method
    return refuse


# These would change only this list, and never the network.
_LENGTH_CHANGING = ("append", "clear", "extend", "insert", "pop", "remove")
_REORDERING = ("reverse", "sort")
_OPERATORS = ("__delitem__", "__iadd__", "__imul__")
for _method in (*_LENGTH_CHANGING, *_REORDERING, *_OPERATORS):
    setattr(LayerArrays, _method, _refusal(_method))
