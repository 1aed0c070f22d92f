"""What all recurrent layers share: checks, initial weights, and both passes.

The file of a layer has a spec, which derives from `RecurrentSpec`, and names its cell,
which computes the steps.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_bool, check_fraction, check_positive_int
from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.initializers import INITIALIZERS, Initializer, get_initializer
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.recurrent import sequence
from skconvnet.ops.recurrent.cell import Cell, CellWeights
from skconvnet.ops.recurrent.reversal import reverse_steps
from skconvnet.ops.recurrent.sequence import Masks
from skconvnet.ops.recurrent.trace import Trace
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class RecurrentSpec(TrainableSpec):
    """The spec of a recurrent layer, with the parameters that all of them have."""

    spatial_ndim: ClassVar[int | None] = 1

    units: int

    @abstractmethod
    @override
    def build(self, in_shape: Shape) -> RecurrentLayer: ...

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
    """What `RecurrentLayer` keeps for the backward pass."""

    trace: Trace
    masks: Masks


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
        self.cached_values = length * ((cell.n_blocks + 1) * units + n_in + 1)

    @property
    @override
    def matrices(self) -> dict[str, MatrixForm]:
        # One for each gate.
        return {
            name: MatrixForm.dense(self.weight_shapes[name], self.cell.n_gates)
            for name in self.penalized
        }

    @property
    @override
    def input_matrices(self) -> tuple[str, ...]:
        return ("kernel",)

    def reversed(self) -> RecurrentLayer:
        """Return a layer that reads the steps in the other order."""
        backwards = not self.options.go_backwards
        options = self.options._replace(go_backwards=backwards)
        return RecurrentLayer(self.in_shape, self.cell, options, self.initial_bias)

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
        lengths, inputs = workspace.lengths, x
        if self.options.go_backwards:
            inputs = x[:, ::-1]
            if lengths is not None:
                inputs = workspace.array("reversed", x.shape, x.dtype)
                reverse_steps(x, lengths, inputs)
        masks = Masks(None, None)
        if train and self.is_random:
            masks = self._draw_masks(x, rng, workspace)
        ys = None
        if self.options.return_sequences:
            ys = workspace.array("y", (self.cell.units, *x.shape[1:]), x.dtype)
        weights = self._arrays(self.weights)
        trace = sequence.forward(self.cell, inputs, weights, masks, ys, workspace)
        if ys is None:
            ys = trace.last_h(lengths, workspace)
        return ys, RecurrentCache(trace, masks)

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
        trace, lengths = cache.trace, workspace.lengths
        weights = self._arrays(self.weights)
        dys, dlast = (dy, None) if self.options.return_sequences else (None, dy)
        if dlast is not None and lengths is not None:
            dys, dlast = self._at_last_steps(dlast, lengths, workspace), None
        own_gradients = None if self.is_frozen else self._arrays(gradients)
        dx = None
        if need_dx:
            length, n_in, batch = trace.x.shape
            dx = workspace.array("dx", (n_in, length, batch), dy.dtype)
        sequence.backward(
            self.cell, trace, weights, dys, dlast, own_gradients, dx, workspace
        )
        if dx is None:
            return None
        if cache.masks.x is not None:
            dx *= cache.masks.x[:, np.newaxis]
        if not self.options.go_backwards:
            return dx
        if lengths is None:
            return dx[:, ::-1]
        in_order = workspace.array("dx_in_order", dx.shape, dx.dtype)
        reverse_steps(dx, lengths, in_order)
        return in_order

    def _draw_masks(
        self, x: FeatureMap, rng: np.random.Generator | None, workspace: Workspace
    ) -> Masks:
        """Draw what values are multiplied by: 0, or 1 / (1 - rate)."""
        assert rng is not None
        (n_in, _, batch), dtype = x.shape, x.dtype
        masks: list[np.ndarray | None] = []
        for name, rate, n in (
            ("x_mask", self.options.dropout, n_in),
            ("h_mask", self.options.recurrent_dropout, self.cell.units),
        ):
            mask = None
            if rate:
                mask = workspace.array(name, (n, batch), dtype)
                rng.random(out=mask, dtype=dtype.type)
                np.multiply(mask >= rate, dtype.type(1 / (1 - rate)), out=mask)
            masks.append(mask)
        return Masks(*masks)

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
