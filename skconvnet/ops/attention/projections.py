"""Queries, keys and values of all heads, by one product of matrices.

The three kernels side by side are one kernel, and so are the biases::

                 query_kernel | key_kernel | value_kernel
    channels     heads * dims | heads * dims | heads * value_dims

The part of the queries is scaled by ``1 / sqrt(dims)``, which scales the scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._typing import NamedArrays
from skconvnet.ops.attention.dot_product import Heads
from skconvnet.ops.attention.steps_last import as_columns, heads_of
from skconvnet.ops.position_products import project, write_gradients
from skconvnet.ops.workspace import Workspace

PARTS = ("query", "key", "value")


@dataclass(frozen=True)
class Projections:
    """What a sequence is projected to.

    Attributes
    ----------
    n_heads, key_dim, value_dim : int
    """

    n_heads: int
    key_dim: int
    value_dim: int

    @property
    def widths(self) -> dict[str, int]:
        """How many features there are for all heads, of each of `PARTS`."""
        dims = (self.key_dim, self.key_dim, self.value_dim)
        return {part: self.n_heads * dim for part, dim in zip(PARTS, dims, strict=True)}

    @property
    def places(self) -> dict[str, slice]:
        """Where each of `PARTS` is among all features."""
        ends = np.cumsum(list(self.widths.values())).tolist()
        return {
            part: slice(end - width, end)
            for (part, width), end in zip(self.widths.items(), ends, strict=True)
        }

    @property
    def n_features(self) -> int:
        """How many features a step is projected to."""
        return sum(self.widths.values())

    def apply(
        self, steps: np.ndarray, weights: NamedArrays, workspace: Workspace
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the projected features, and the kernel.

        Parameters
        ----------
        steps : ndarray of shape (channels, batch, length)
        weights : mapping of str to ndarray
            ``query_kernel`` of shape (channels, heads * dims), perhaps ``query_bias``,
            and so on.
        workspace : Workspace

        Returns
        -------
        projected : ndarray of shape (features, batch, length)
        kernel : ndarray of shape (channels, features)
        """
        dtype, n = steps.dtype, self.n_features
        kernel = workspace.array("kernel", (len(steps), n), dtype)
        bias = workspace.array("bias", (n,), dtype)
        for part, place in self.places.items():
            kernel[:, place] = weights[f"{part}_kernel"]
            bias[place] = weights.get(f"{part}_bias", 0)
        self._scale(kernel, bias)
        projected = workspace.array("projected", (n, *steps.shape[1:]), dtype)
        project(kernel, bias, as_columns(steps), as_columns(projected))
        return projected, kernel

    def write_gradients(
        self,
        steps: np.ndarray,
        dprojected: np.ndarray,
        gradients: NamedArrays,
        workspace: Workspace,
    ) -> None:
        """Write the gradients of all kernels and biases that are in `gradients`."""
        shape = (len(steps), self.n_features)
        dkernel = workspace.scratch("dkernel", shape, steps.dtype)
        dbias = workspace.scratch("dbias", shape[1:], steps.dtype)
        write_gradients(as_columns(steps), as_columns(dprojected), dkernel, dbias)
        self._scale(dkernel, dbias)
        for part, place in self.places.items():
            gradients[f"{part}_kernel"][...] = dkernel[:, place]
            if f"{part}_bias" in gradients:
                gradients[f"{part}_bias"][...] = dbias[place]

    def heads(self, projected: np.ndarray) -> Heads:
        """View projected features, or their gradient, head by head."""
        parts = (projected[place] for place in self.places.values())
        return Heads(*(heads_of(part, self.n_heads) for part in parts))

    def _scale(self, kernel: np.ndarray, bias: np.ndarray) -> None:
        """Scale the part of the queries in a kernel and a bias, or their gradients."""
        place, scale = self.places["query"], self.key_dim**-0.5
        kernel[:, place] *= scale
        bias[place] *= scale
