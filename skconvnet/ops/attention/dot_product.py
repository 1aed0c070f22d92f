"""Attention whose scores are products of queries and keys.

For each sample and head, with the matrices Q (dims, queries), K (dims, keys) and
V (value dims, keys) and with softmax along the keys::

    S = K'Q,   P = softmax(S),   O = V P

Scaling is left to the caller, who can scale the kernel of the queries. If G is the
gradient of O, the gradients are, with ``*`` elementwise::

    dV = G P',   dP = V'G,   dS = P * (dP - sum over keys of P * dP)
    dQ = K dS,   dK = Q dS'

The sum is that of ``G * O`` over the value dims, so it is known before the blocks are
computed. See A. Vaswani et al., "Attention is all you need", NeurIPS 2017, and `blocks`
for the order of the computation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from skconvnet.ops.attention.blocks import BLOCK_BYTES, Block, Extent, blocks_of
from skconvnet.ops.attention.dropout import WeightDropout
from skconvnet.ops.attention.softmax import Mask, exponentiate, weights_again
from skconvnet.ops.workspace import Workspace


class Heads(NamedTuple):
    """Queries, keys and values of all samples and heads, or their gradients.

    Attributes
    ----------
    q : ndarray of shape (batch, heads, dims, queries)
    k : ndarray of shape (batch, heads, dims, keys)
    v : ndarray of shape (batch, heads, value_dims, keys)
    """

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray

    @property
    def extent(self) -> Extent:
        """Of what there are pairs of queries and keys."""
        n_samples, n_heads, _, n_queries = self.q.shape
        return Extent(n_samples, n_heads, n_queries, self.k.shape[-1])

    def at(self, block: Block) -> Heads:
        """View what a block consists of."""
        samples, heads, queries, keys = block
        return Heads(
            self.q[samples, heads, :, queries],
            self.k[samples, heads, :, keys],
            self.v[samples, heads, :, keys],
        )


@dataclass(frozen=True)
class DotProductAttention:
    """How queries attend to keys.

    Attributes
    ----------
    mask : Mask
    dropout : WeightDropout or None
    block_bytes : int
    """

    mask: Mask = field(default_factory=Mask)
    dropout: WeightDropout | None = None
    block_bytes: int = BLOCK_BYTES

    def forward(
        self,
        heads: Heads,
        out: np.ndarray,
        log_sums: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write the weighted means of the values.

        Parameters
        ----------
        heads : Heads
        out : ndarray of shape (batch, heads, value_dims, queries)
        log_sums : ndarray of shape (batch, heads, queries)
            What `backward` needs of the softmax is written here.
        workspace : Workspace
        """
        for number, block in enumerate(self._blocks(heads)):
            samples, some, queries, _ = block
            own, weights = heads.at(block), self._scores(heads, block, workspace)
            shape = (*weights.shape[:2], weights.shape[3])
            sums = workspace.scratch("sums", shape, weights.dtype)
            exponentiate(weights, sums, log_sums[samples, some, queries])
            if self.dropout is not None:
                weights *= self.dropout.scales(number, weights, workspace)
            means = out[samples, some, :, queries]
            np.matmul(own.v, weights, out=means)
            means /= sums[:, :, np.newaxis]

    def backward(
        self,
        heads: Heads,
        dout: np.ndarray,
        dots: np.ndarray,
        log_sums: np.ndarray,
        gradients: Heads,
        workspace: Workspace,
    ) -> None:
        """Write the gradients of queries, keys and values.

        Parameters
        ----------
        heads : Heads
        dout : ndarray of shape (batch, heads, value_dims, queries)
            Gradient of the output.
        dots : ndarray of shape (batch, heads, queries)
            The sum of ``dout * out`` over the value dims.
        log_sums : ndarray of shape (batch, heads, queries)
        gradients : Heads
        workspace : Workspace
        """
        for number, block in enumerate(self._blocks(heads)):
            samples, some, queries, _ = block
            own, weights = heads.at(block), self._scores(heads, block, workspace)
            weights_again(weights, log_sums[samples, some, queries])
            dmeans = dout[samples, some, :, queries]
            dscores = workspace.scratch("dscores", weights.shape, weights.dtype)
            np.matmul(own.v.swapaxes(-1, -2), dmeans, out=dscores)
            dropped = weights
            if self.dropout is not None:
                dropped = self.dropout.scales(number, weights, workspace)
                dscores *= dropped
                dropped *= weights
            dscores -= dots[samples, some, np.newaxis, queries]
            dscores *= weights
            d, is_first = gradients.at(block), queries.stop == heads.extent.queries
            np.matmul(own.k, dscores, out=d.q)
            _sum_over_queries(dscores, own.q, d.k, workspace, is_first)
            _sum_over_queries(dropped, dmeans, d.v, workspace, is_first)

    def weights(self, heads: Heads, workspace: Workspace) -> np.ndarray:
        """Return all weights at once, without dropout.

        Returns
        -------
        weights : ndarray of shape (batch, heads, keys, queries)
        """
        extent = heads.extent
        whole = Block(*(slice(0, n) for n in extent))
        weights = self._scores(heads, whole, workspace).copy()
        sums = np.empty((extent.samples, extent.heads, extent.queries), weights.dtype)
        exponentiate(weights, sums, np.empty_like(sums))
        weights /= sums[:, :, np.newaxis]
        return weights

    def _blocks(self, heads: Heads) -> Iterator[Block]:
        return blocks_of(
            heads.extent,
            heads.q.itemsize,
            causal=self.mask.causal,
            block_bytes=self.block_bytes,
        )

    def _scores(self, heads: Heads, block: Block, workspace: Workspace) -> np.ndarray:
        """Return the scores of a block, of shape (samples, heads, keys, queries)."""
        q, k, _ = heads.at(block)
        shape = (*k.shape[:2], k.shape[-1], q.shape[-1])
        scores = workspace.scratch("scores", shape, q.dtype)
        np.matmul(k.swapaxes(-1, -2), q, out=scores)
        self.mask.hide(scores, block)
        return scores


def _sum_over_queries(
    pairs: np.ndarray,
    per_query: np.ndarray,
    per_key: np.ndarray,
    workspace: Workspace,
    is_first: bool,
) -> None:
    """Add ``per_query @ pairs.T`` to `per_key`, or write it for the first block.

    Parameters
    ----------
    pairs : ndarray of shape (..., keys, queries)
    per_query : ndarray of shape (..., dims, queries)
    per_key : ndarray of shape (..., dims, keys)
    workspace : Workspace
    is_first : bool
    """
    # For a product with a transposed factor, BLAS takes twice as long. So the smaller
    # one is transposed first, and the product is written transposed.
    factor = per_query.swapaxes(-1, -2)
    copy = workspace.scratch("queries_first", factor.shape, factor.dtype)
    np.copyto(copy, factor)
    if is_first:
        np.matmul(pairs, copy, out=per_key.swapaxes(-1, -2))
        return
    shape = (*pairs.shape[:-1], copy.shape[-1])
    product = workspace.scratch("keys_first", shape, pairs.dtype)
    np.matmul(pairs, copy, out=product)
    per_key += product.swapaxes(-1, -2)
