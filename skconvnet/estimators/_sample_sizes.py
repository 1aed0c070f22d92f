"""The sizes of samples for which all layers have an output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from skconvnet._typing import Shape
from skconvnet.estimators._network_builder import Entry
from skconvnet.estimators._shape_words import size
from skconvnet.ops.windows import NoOutputError
from skconvnet.params.base import LayerSpec

# Samples that are longer than those of the user are tried up to this length.
_LONGEST = 4096


class LayerWithoutOutput(NamedTuple):
    """The first layer whose windows are larger than its input.

    Attributes
    ----------
    name : str
    error : NoOutputError
        The error of the windows, without names of layers.
    """

    name: str
    error: NoOutputError

    def __str__(self) -> str:
        return (
            f"layer {self.name!r}: {self.error.window} does not fit maps of "
            f"{size(self.error.in_shape)}, so no output is left."
        )


def layer_without_output(
    entries: Sequence[Entry], in_shape: Shape
) -> LayerWithoutOutput | None:
    """Return the first layer that has no output for samples of a shape, or None.

    Layers after the last map are not built.

    Raises
    ------
    TypeError, ValueError
        If a layer cannot be built for another reason.
    """
    for name, entry in entries:
        if len(in_shape) == 1:
            return None
        spec = entry if isinstance(entry, LayerSpec) else entry(in_shape)
        try:
            in_shape = spec.build(in_shape).out_shape
        except NoOutputError as error:
            while isinstance(error.__cause__, NoOutputError):
                error = error.__cause__
            return LayerWithoutOutput(name, error)
    return None


def has_output(entries: Sequence[Entry], in_shape: Shape) -> bool:
    """Return whether the layers can be built for samples of a shape."""
    try:
        return layer_without_output(entries, in_shape) is None
    except (TypeError, ValueError):
        return False


def smallest_size(entries: Sequence[Entry], in_shape: Shape) -> Shape | None:
    """Return the smallest spatial sizes for which all layers have an output.

    None means that there are none, or that they are very large.

    Parameters
    ----------
    entries : sequence of (str, spec)
    in_shape : tuple of int
        Shape of a sample of any size, channels last.

    Examples
    --------
    >>> from skconvnet.layers import Conv2D, MaxPool2D
    >>> layers = [("conv", Conv2D(1, (3, 1))), ("pool", MaxPool2D(4))]
    >>> smallest_size(layers, (1, 9, 1))
    (6, 4)
    """
    if len(in_shape) == 1:  # texts, whose tokens the first layer turns into steps
        (_, first), *rest = entries
        spec = first if isinstance(first, LayerSpec) else first(in_shape)
        steps = spec.build(in_shape).out_shape
        return smallest_size(rest, steps) if len(steps) > 1 else None
    *sizes, channels = in_shape
    while not has_output(entries, (*sizes, channels)):
        if min(sizes) >= _LONGEST:
            return None
        sizes = [max(n, min(2 * n, _LONGEST)) for n in sizes]
    for axis in range(len(sizes)):
        low, high = 1, sizes[axis]
        while low < high:
            sizes[axis] = (low + high) // 2
            if has_output(entries, (*sizes, channels)):
                high = sizes[axis]
            else:
                low = sizes[axis] + 1
        sizes[axis] = low
    return tuple(sizes)
