"""Attention whose scores are products of queries and keys.

For each sample and head, with the matrices Q (dims, queries), K (dims, keys) and
V (value dims, keys) and with softmax along the keys::

    S = K'Q,   P = softmax(S),   O = V P          of shape (keys, queries): S, P

Scaling is left to the caller, who can scale the kernel of the queries. If G is the
gradient of O, the gradients are, with ``*`` elementwise::

    dV = G P',   dP = V'G,   dS = P * (dP - sum over keys of P * dP)
    dQ = K dS,   dK = Q dS'

The sum is that of ``G * O`` over the value dims, so it is known before the blocks are
computed. See A. Vaswani et al., "Attention is all you need", NeurIPS 2017, and `blocks`
for the order of the computation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple

import numpy as np

from skconvnet.ops.attention.blocks import (
    BLOCK_BYTES,
    Block,
    Extent,
    blocks_of,
    run_groups,
)
from skconvnet.ops.attention.dropout import WeightDropout
from skconvnet.ops.attention.softmax import (
    Mask,
    are_moderate,
    exponentiate,
    weights_again,
)
from skconvnet.ops.workspace import Workspace

# Up to which BLAS writes a transposed product as fast as another one.
_MAX_KEYS_OF_DIRECT = 256


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

        def task(group: Sequence[Block], workspace: Workspace) -> None:
            for block in group:
                samples, some, queries, _ = block
                own, weights = heads.at(block), _scores(heads, block, workspace)
                moderate = are_moderate(weights)
                self.mask.hide(weights, block)
                shape = (*weights.shape[:2], weights.shape[3])
                sums = workspace.scratch("sums", shape, weights.dtype)
                logs = log_sums[samples, some, queries]
                exponentiate(weights, sums, logs, moderate=moderate)
                if self.dropout is not None:
                    weights *= self.dropout.scales(block, weights, workspace)
                means = out[samples, some, :, queries]
                np.matmul(own.v, weights, out=means)
                means /= sums[:, :, np.newaxis]

        self._run(heads, task, workspace)

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

        def task(group: Sequence[Block], workspace: Workspace) -> None:
            of_keys = _SumsOverQueries(gradients.at(group[0]), len(group), workspace)
            for block in group:
                samples, some, queries, keys = block
                own, weights = heads.at(block), _scores(heads, block, workspace)
                self.mask.hide(weights, block)
                weights_again(weights, log_sums[samples, some, queries])
                dmeans = dout[samples, some, :, queries]
                dscores = workspace.scratch("dscores", weights.shape, weights.dtype)
                np.matmul(own.v.swapaxes(-1, -2), dmeans, out=dscores)
                dropped = weights
                if self.dropout is not None:
                    dropped = self.dropout.scales(block, weights, workspace)
                    dscores *= dropped
                    dropped *= weights
                dscores -= dots[samples, some, np.newaxis, queries]
                dscores *= weights
                np.matmul(own.k, dscores, out=gradients.at(block).q)
                of_keys.add("k", dscores, own.q, keys)
                of_keys.add("v", dropped, dmeans, keys)
            of_keys.finish()

        self._run(heads, task, workspace)

    def weights(self, heads: Heads, workspace: Workspace) -> np.ndarray:
        """Return all weights at once, without dropout.

        Returns
        -------
        weights : ndarray of shape (batch, heads, keys, queries)
        """
        extent = heads.extent
        whole = Block(*(slice(0, n) for n in extent))
        weights = _scores(heads, whole, workspace).copy()
        self.mask.hide(weights, whole)
        sums = np.empty((extent.samples, extent.heads, extent.queries), weights.dtype)
        exponentiate(weights, sums, np.empty_like(sums))
        weights /= sums[:, :, np.newaxis]
        return weights

    def _run(
        self,
        heads: Heads,
        task: Callable[[Sequence[Block], Workspace], None],
        workspace: Workspace,
    ) -> None:
        """Call ``task(group, workspace)`` for all groups of blocks, on all threads."""
        groups = blocks_of(
            heads.extent,
            heads.q.itemsize,
            causal=self.mask.causal,
            block_bytes=self.block_bytes,
        )
        run_groups(groups, task, workspace, n_scores=prod(heads.extent))


def _scores(heads: Heads, block: Block, workspace: Workspace) -> np.ndarray:
    """Return the scores of a block, of shape (samples, heads, keys, queries)."""
    q, k, _ = heads.at(block)
    shape = (*k.shape[:2], k.shape[-1], q.shape[-1])
    scores = workspace.scratch("scores", shape, q.dtype)
    np.matmul(k.swapaxes(-1, -2), q, out=scores)
    return scores


class _SumsOverQueries:
    """The gradients of keys and values, to which all blocks of a group add.

    They have the keys first until all is added: for a product with a large transposed
    factor, BLAS takes twice as long.

    Parameters
    ----------
    gradients : Heads
        Those of the first block, which has all keys.
    n_blocks : int
    workspace : Workspace
    """

    def __init__(self, gradients: Heads, n_blocks: int, workspace: Workspace) -> None:
        self.workspace = workspace
        self.targets = {"k": gradients.k, "v": gradients.v}
        n_keys = gradients.k.shape[-1]
        self.is_direct = n_blocks == 1 and n_keys <= _MAX_KEYS_OF_DIRECT
        self.sums: dict[str, np.ndarray] = {}
        for name, target in self.targets.items():
            view = target.swapaxes(-1, -2)
            if not self.is_direct:
                view = workspace.scratch(f"d{name}", view.shape, view.dtype)
            self.sums[name] = view
        self.begun: set[str] = set()

    def add(
        self, name: str, pairs: np.ndarray, per_query: np.ndarray, keys: slice
    ) -> None:
        """Add ``per_query @ pairs.T``.

        Parameters
        ----------
        name : {"k", "v"}
        pairs : ndarray of shape (samples, heads, keys, queries)
        per_query : ndarray of shape (samples, heads, dims, queries)
        keys : slice
            Those of the block.
        """
        sums, workspace = self.sums[name][:, :, keys], self.workspace
        factor = per_query.swapaxes(-1, -2)
        copy = workspace.scratch("queries_first", factor.shape, factor.dtype)
        np.copyto(copy, factor)
        if name not in self.begun:
            self.begun.add(name)
            np.matmul(pairs, copy, out=sums)
            return
        product = workspace.scratch("keys_first", sums.shape, sums.dtype)
        sums += np.matmul(pairs, copy, out=product)

    def finish(self) -> None:
        """Write the sums to where they belong."""
        if self.is_direct:
            return
        for name, target in self.targets.items():
            np.copyto(target, self.sums[name].swapaxes(-1, -2))
