"""What follows the output layer: labels and probabilities, or predicted numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

import skconvnet.losses
from skconvnet._typing import Shape
from skconvnet.losses import Loss
from skconvnet.onnx.activations import activate
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.labels import labels_as_keys, labels_as_tensor
from skconvnet.onnx.positions import maps_output, rows_of_positions
from skconvnet.ops.activations import Softplus, get_activation


class Head(Protocol):
    """What follows the output layer."""

    def add_to(self, graph: Graph, scores: str, out_shape: Shape) -> None:
        """Add the outputs, given raw scores that have the shape `out_shape`."""


@dataclass(frozen=True)
class ClassifierHead:
    """How a classifier turns raw scores into labels and probabilities.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
    loss : Loss
    is_exclusive : bool
        Whether there is a score for each of three or more classes, of which one is
        true.
    is_multilabel : bool
        Whether each score is that of a label of its own. If neither holds, there is one
        score for two classes.
    with_scores : bool
        Whether the second output are the raw scores, as of `decision_function`.
    zipmap : bool
        Whether the second output is a map from labels to numbers for each sample.
    has_label_axis : bool
        Whether labels of positions have an axis of length 1 at the end, as y had.
    """

    classes: npt.NDArray[Any]
    loss: Loss
    is_exclusive: bool
    is_multilabel: bool
    with_scores: bool = False
    zipmap: bool = False
    has_label_axis: bool = False

    def add_to(self, graph: Graph, scores: str, out_shape: Shape) -> None:
        """Add the outputs "label" and "probabilities", or "scores".

        `out_shape` is the shape of the scores of a sample, channels last.
        """
        check_loss(self.loss)
        *spatial, n_outputs = out_shape
        if spatial and self.zipmap:
            raise ValueError(
                "zipmap=True needs one label per sample, but the network predicts one "
                f"at each position of maps of shape {tuple(spatial)}. Set zipmap=False."
            )
        scores = rows_of_positions(graph, scores, out_shape)
        label, dtype = self.label(graph, scores)
        shape: Shape = (n_outputs,) if self.is_multilabel else ()
        if self.has_label_axis:
            shape = (1,)
        maps_output(graph, label, "label", dtype, spatial, shape)
        self.add_columns(graph, scores, n_outputs, spatial=spatial)

    def add_columns(
        self,
        graph: Graph,
        scores: str,
        n_outputs: int,
        *,
        suffix: str = "",
        spatial: Sequence[int] = (),
    ) -> None:
        """Add the output "probabilities" or "scores", with a suffix to the name.

        `scores` have the shape (n_samples, n_outputs), or (n_positions, n_outputs) for
        samples that have `spatial` axes.
        """
        name = ("scores" if self.with_scores else "probabilities") + suffix
        if self.with_scores:
            columns, shape = self._scores(graph, scores, n_outputs)
        else:
            columns = self._probabilities(graph, scores, n_outputs)
            shape = (max(n_outputs, 2),)
            if self.is_multilabel or self.is_exclusive:
                shape = (n_outputs,)
        if not self.zipmap:
            maps_output(graph, columns, name, graph.dtype, spatial, shape)
            return
        keys = labels_as_keys(self.classes)
        if shape != (len(keys),):
            raise ValueError(
                f"zipmap=True needs as many classes as there are {name}; got "
                f"{len(keys)} class{'es' if len(keys) > 1 else ''} and "
                f"{shape[0]} {name}. Set zipmap=False."
            )
        graph.output_of_maps(columns, name, keys, graph.dtype)

    def label(self, graph: Graph, scores: str) -> tuple[str, np.dtype[Any]]:
        """Return the labels of rows of scores, and their dtype."""
        integers = np.dtype(np.int64)
        if self.is_exclusive:
            chosen = graph.add("ArgMax", scores, axis=1, keepdims=0)
        else:
            # Of the losses, some are positive at 0 and some are not.
            zero_is_positive = bool(self.loss.is_positive(np.zeros(1))[0])
            above = "GreaterOrEqual" if zero_is_positive else "Greater"
            positive = graph.add(above, scores, graph.numbers(0.0))
            chosen = graph.cast(positive, integers)
            if self.is_multilabel:
                return chosen, integers
            chosen = graph.reshape(chosen, ())
        labels = labels_as_tensor(self.classes)
        if len(labels) == 1:  # which is predicted whatever the score is
            labels = labels.repeat(2)
        label = graph.add("Gather", graph.constant(labels, "classes"), chosen, axis=0)
        return label, labels.dtype

    def _scores(
        self, graph: Graph, scores: str, n_outputs: int
    ) -> tuple[str, tuple[int, ...]]:
        """Return what `decision_function` returns, and its shape."""
        if n_outputs > 1 or self.is_exclusive:
            return scores, (n_outputs,)
        if not self.zipmap:
            return graph.reshape(scores, ()), ()
        # A map has a number for each class: as in skl2onnx, those of the two sides.
        return graph.add("Concat", graph.add("Neg", scores), scores, axis=1), (2,)

    def _probabilities(self, graph: Graph, scores: str, n_outputs: int) -> str:
        name = self.loss.output
        if self.is_exclusive:
            if name == "logistic":
                # The outputs divided by their sum, which may underflow: as the softmax
                # of their logarithms, -softplus(-score).
                scores = activate(graph, graph.add("Neg", scores), Softplus())
                scores = graph.add("Neg", scores)
            return graph.add("Softmax", scores, axis=1)
        positive = activate(graph, scores, get_activation(name))
        if n_outputs > 1 or self.is_multilabel:
            return positive
        negative = graph.add("Sub", graph.numbers(1.0), positive)
        return graph.add("Concat", negative, positive, axis=1)


@dataclass(frozen=True)
class RegressorHead:
    """How a regressor turns raw scores into predictions.

    Attributes
    ----------
    loss : Loss
    mean, deviation : ndarray of shape (n_outputs,) or None
        Those of the targets, if the network predicts them standardized.
    has_channels : bool
        Whether predictions of maps have an axis of outputs at the end, as y had. Flat
        ones always have it.
    """

    loss: Loss
    mean: npt.NDArray[np.float64] | None = None
    deviation: npt.NDArray[np.float64] | None = None
    has_channels: bool = True

    def add_to(self, graph: Graph, scores: str, out_shape: Shape) -> None:
        """Add the output "variable".

        `out_shape` is the shape of the scores of a sample, channels last.
        """
        check_loss(self.loss)
        *spatial, n_outputs = out_shape
        y = rows_of_positions(graph, scores, out_shape)
        if self.loss.output == "exp":
            # As the loss does, so that nothing overflows.
            limit = np.log(np.finfo(graph.dtype).max) - 4
            y = graph.add("Exp", graph.add("Min", y, graph.numbers(limit)))
        if self.mean is not None and self.deviation is not None:
            # In float64, as a large mean may hide small deviations from it.
            y = graph.add(
                "Mul", graph.cast(y, np.float64), graph.constant(self.deviation)
            )
            y = graph.add("Add", y, graph.constant(self.mean))
            y = graph.cast(y, graph.dtype)
        shape = (n_outputs,) if self.has_channels else ()
        maps_output(graph, y, "variable", graph.dtype, spatial, shape)


def check_loss(loss: Loss) -> None:
    """Raise a ValueError for a loss whose activation is not known."""
    name = type(loss).__name__
    if getattr(skconvnet.losses, name, None) is not type(loss):
        raise ValueError(
            f"loss={name} cannot be exported to ONNX: only the losses of "
            "skconvnet.losses can, not classes derived from them."
        )
