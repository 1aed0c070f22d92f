"""The outputs of a classifier for several columns of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape
from skconvnet.losses import Loss
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.heads import ClassifierHead, check_loss


@dataclass(frozen=True)
class ColumnsHead:
    """How a classifier turns raw scores into a label for each column of y.

    Attributes
    ----------
    classes : sequence of ndarray of shape (n_classes,)
        Those of each column, of which each class has a score of its own.
    loss : Loss
        That of one column.
    with_scores : bool
        Whether the other outputs are raw scores instead of probabilities.
    zipmap : bool
        Whether these are a map from labels to numbers for each sample.
    """

    classes: Sequence[npt.NDArray[Any]]
    loss: Loss
    with_scores: bool = False
    zipmap: bool = False

    def add_to(self, graph: Graph, scores: str, out_shape: Shape) -> None:  # noqa: ARG002  of every head
        """Add the outputs "label" and "probabilities_0", "probabilities_1" and so on.

        They are called "scores_0" and so on for raw scores.
        """
        check_loss(self.loss)
        ends = np.cumsum([len(own) for own in self.classes])
        # A tensor has labels of one dtype, as the predicted array has.
        joined = np.split(np.concatenate(self.classes), ends[:-1])
        parts, labels = [], []
        axis = graph.constant(np.array([1], np.int64), "axis")
        for own, common, end in zip(self.classes, joined, ends, strict=True):
            bounds = (np.array([i], np.int64) for i in (end - len(own), end))
            start, stop = (graph.constant(bound, "bound") for bound in bounds)
            part = graph.add("Slice", scores, start, stop, axis)
            head = ClassifierHead(
                common,
                self.loss,
                is_exclusive=True,
                is_multilabel=False,
                with_scores=self.with_scores,
                zipmap=self.zipmap,
            )
            label, dtype = head.label(graph, part)
            labels.append(graph.add("Unsqueeze", label, axis))
            parts.append((replace(head, classes=own), part))
        label = graph.add("Concat", *labels, axis=1)
        graph.output(label, "label", dtype, (len(self.classes),))
        for j, (head, part) in enumerate(parts):
            head.add_columns(graph, part, len(head.classes), suffix=f"_{j}")
