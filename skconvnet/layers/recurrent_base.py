"""What all recurrent layers share: checks, initial weights, and both passes.

The file of a layer has a spec, which derives from `RecurrentSpec`, and names its cell,
which computes the steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_bool, check_fraction, check_positive_int
from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.initializers import INITIALIZERS, Initializer, get_initializer
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.blas_kernels import matmul
from skconvnet.ops.recurrent import sequence
from skconvnet.ops.recurrent.cell import Cell, CellWeights
from skconvnet.ops.recurrent.reversal import reverse_steps
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class RecurrentSpec(TrainableSpec):
    """The spec of a recurrent layer, with the parameters that all of them have."""

    spatial_ndim: ClassVar[int | None] = 1

    units: int

    def _checked_units(self, in_shape: Shape) -> int:
        check_ndim(type(self).__name__, in_shape, 1)
        return check_positive_int("units", self.units)

    def _options(self) -> RecurrentOptions:
        """Return the checked values of the parameters that all layers have."""
        names = ("use_bias", "return_sequences", "go_backwards")
        use_bias, return_sequences, go_backwards = (
            check_bool(name, getattr(self, name)) for name in names
        )
        kernel, recurrent = (
            get_initializer(getattr(self, name), name)
            for name in ("kernel_initializer", "recurrent_initializer")
        )
        dropout, recurrent_dropout = (
            check_fraction(name, getattr(self, name))
            for name in ("dropout", "recurrent_dropout")
        )
        return RecurrentOptions(
            use_bias,
            kernel,
            recurrent,
            dropout,
            recurrent_dropout,
            return_sequences,
            go_backwards,
        )


class RecurrentOptions(NamedTuple):
    """The parameters that all recurrent layers have, besides `units`.

    The initializers are None for "auto".
    """

    use_bias: bool
    kernel_initializer: Initializer | None
    recurrent_initializer: Initializer | None
    dropout: float
    recurrent_dropout: float
    return_sequences: bool
    go_backwards: bool


class RecurrentCache(NamedTuple):
    """What `RecurrentLayer` keeps: the steps, and the scale of each input."""

    steps: sequence.Steps
    mask: np.ndarray | None


class RecurrentLayer(Layer[RecurrentCache]):
    """Runtime layer of all recurrent layers.

    Parameters
    ----------
    in_shape : tuple of int
    cell : Cell
    options : RecurrentOptions
    initial_bias : ndarray
        Its shape is that of the bias, if there is one.
    """

    penalized = ("kernel", "recurrent_kernel")
    takes_lengths = True

    def __init__(
        self,
        in_shape: Shape,
        cell: Cell,
        options: RecurrentOptions,
        initial_bias: np.ndarray,
    ) -> None:
        (length, n_in), units = in_shape, cell.units
        out_shape = (length, units) if options.return_sequences else (units,)
        super().__init__(in_shape, out_shape)
        self.cell = cell
        self.options = options
        self.initial_bias = initial_bias
        columns = cell.n_gates * units
        self.weight_shapes = {
            "kernel": (n_in, columns),
            "recurrent_kernel": (units, columns),
        }
        if options.use_bias:
            self.weight_shapes["bias"] = initial_bias.shape
        self.is_random = options.dropout > 0 or options.recurrent_dropout > 0
        self.flops = length * columns * (2 * (n_in + units) + 10)
        blocks = cell.n_traced + cell.n_collected + len(cell.recurrent_inputs)
        self.cached_values = length * units * blocks

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        n_in, columns = self.weight_shapes["kernel"]
        kernel = self.options.kernel_initializer or INITIALIZERS["glorot_uniform"]
        recurrent = self.options.recurrent_initializer or INITIALIZERS["orthogonal"]
        units = self.cell.units
        weights = {
            "kernel": kernel.draw(rng, (n_in, columns), n_in, columns),
            "recurrent_kernel": recurrent.draw(rng, (units, columns), units, columns),
        }
        if self.options.use_bias:
            weights["bias"] = self.initial_bias.copy()
        return weights

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        return lengths if self.options.return_sequences else None

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, RecurrentCache]:
        n_in, length, batch = x.shape
        options, units, cell = self.options, self.cell.units, self.cell
        inputs = x
        if options.go_backwards:
            inputs = workspace.array("reversed", x.shape, x.dtype)
            reverse_steps(x, workspace.lengths, inputs)
        elif not x.flags.c_contiguous:
            inputs = workspace.array("inputs", x.shape, x.dtype)
            np.copyto(inputs, x)
        mask = recurrent_mask = None
        if train and options.dropout:
            mask = _draw_mask(
                rng, options.dropout, "mask", (n_in, 1, batch), x.dtype, workspace
            )
            dropped = workspace.array("dropped", x.shape, x.dtype)
            inputs = np.multiply(inputs, mask, out=dropped)
        if train and options.recurrent_dropout:
            recurrent_mask = _draw_mask(
                rng,
                options.recurrent_dropout,
                "recurrent_mask",
                (units, batch),
                x.dtype,
                workspace,
            )
        ys = None
        if options.return_sequences:
            ys = workspace.array("y", (units, length, batch), x.dtype)
        steps = sequence.forward(
            cell, inputs, self._arrays(self.weights), recurrent_mask, ys, workspace
        )
        if ys is None:
            ys = steps.last_states(cell, workspace.lengths, workspace)
        return ys, RecurrentCache(steps, mask)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: RecurrentCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        x, lengths, cell = cache.steps.x, workspace.lengths, self.cell
        weights = self._arrays(self.weights)
        dys, dlast = (dy, None) if self.options.return_sequences else (None, dy)
        if dlast is not None and lengths is not None:
            dys, dlast = self._at_last_steps(dlast, lengths, workspace), None
        collected, recurrent_inputs = sequence.backward(
            cell, cache.steps, weights, dys, dlast, workspace
        )
        of_gates = collected[: cell.n_gates * cell.units]
        rows = x.reshape(len(x), -1)
        if not self.is_frozen:
            own = self._arrays(gradients)
            matmul(rows, of_gates.T, own.kernel, workspace.run)
            cell.write_gradients(recurrent_inputs, collected, own)
        if not need_dx:
            return None
        dx = workspace.array("dx", x.shape, x.dtype)
        matmul(weights.kernel, of_gates, dx.reshape(rows.shape), workspace.run)
        if cache.mask is not None:
            dx *= cache.mask
        if not self.options.go_backwards:
            return dx
        in_order = workspace.array("dx_in_order", x.shape, x.dtype)
        reverse_steps(dx, lengths, in_order)
        return in_order

    @staticmethod
    def _arrays(arrays: Mapping[str, np.ndarray]) -> CellWeights:
        kernel, recurrent_kernel = arrays["kernel"], arrays["recurrent_kernel"]
        return CellWeights(kernel, recurrent_kernel, arrays.get("bias"))

    def _at_last_steps(
        self, dlast: np.ndarray, lengths: Lengths, workspace: Workspace
    ) -> FeatureMap:
        """Return the gradients of all steps, which are zero but for the last steps."""
        units, batch = dlast.shape
        shape = (units, self.in_shape[0], batch)
        dys = workspace.array("dys", shape, dlast.dtype)
        dys.fill(0)
        (has_steps,) = np.nonzero(lengths)
        dys[:, lengths[has_steps] - 1, has_steps] = dlast[:, has_steps]
        return dys


def _draw_mask(
    rng: np.random.Generator | None,
    rate: float,
    name: str,
    shape: Shape,
    dtype: np.dtype,
    workspace: Workspace,
) -> np.ndarray:
    """Draw what values are multiplied by: 0, or 1 / (1 - rate)."""
    assert rng is not None
    mask = workspace.array(name, shape, dtype)
    rng.random(out=mask, dtype=dtype)
    np.multiply(mask >= rate, dtype.type(1 / (1 - rate)), out=mask)
    return mask
