"""Attention whose scores are the output of a hidden layer of tanh.

For a query q and a key k, which have `units` numbers each::

    score = context . tanh(q + k)

and the output is the mean of the values, weighted by the softmax of the scores over the
keys. See D. Bahdanau et al., "Neural machine translation by jointly learning to align
and translate", ICLR 2015. Queries may be of another sequence than keys and values.

Everything has the steps last, see `steps_last`. The hidden layer has `units` numbers
for every pair of a query and a key. It is computed block by block, and again in the
backward pass, so that memory grows in proportion to the number of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
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
from skconvnet.ops.attention.softmax import Mask, exponentiate, weights_again
from skconvnet.ops.blas_kernels import constant
from skconvnet.ops.workspace import Workspace


class AdditiveInputs(NamedTuple):
    """What additive attention is computed from, or the gradients of it.

    Attributes
    ----------
    q : ndarray of shape (units, batch, queries)
    k : ndarray of shape (units, batch, keys)
    v : ndarray of shape (channels, batch, keys)
        The values.
    context : ndarray of shape (units,)
    """

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    context: np.ndarray

    @property
    def extent(self) -> Extent:
        """Of what there are pairs of queries and keys, with a single head."""
        return Extent(self.q.shape[1], 1, self.q.shape[2], self.k.shape[2])

    def at(self, block: Block) -> AdditiveInputs:
        """View what a block consists of, the values with the batch first."""
        samples, _, queries, keys = block
        return AdditiveInputs(
            self.q[:, samples, queries],
            self.k[:, samples, keys],
            self.v[:, samples, keys].transpose(1, 0, 2),
            self.context,
        )


@dataclass(frozen=True)
class AdditiveAttention:
    """How queries attend to keys.

    Attributes
    ----------
    mask : Mask
    block_bytes : int
        Bytes of the hidden layer of a block.
    """

    mask: Mask = field(default_factory=Mask)
    block_bytes: int = BLOCK_BYTES

    def forward(
        self,
        inputs: AdditiveInputs,
        out: np.ndarray,
        log_sums: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write the weighted means of the values.

        Parameters
        ----------
        inputs : AdditiveInputs
        out : ndarray of shape (channels, batch, queries)
        log_sums : ndarray of shape (batch, queries)
            What `backward` needs of the softmax is written here.
        workspace : Workspace
        """

        def task(group: Sequence[Block], workspace: Workspace) -> None:
            for block in group:
                own = inputs.at(block)
                _, weights = self._scores(own, block, workspace)
                sums = workspace.scratch("sums", weights[:, 0].shape, weights.dtype)
                exponentiate(weights, sums, log_sums[block.samples, block.queries])
                means = out[:, block.samples, block.queries]
                np.matmul(own.v, weights, out=means.transpose(1, 0, 2))
                means /= sums

        n_scores = prod(inputs.extent) * len(inputs.context)
        run_groups(self._blocks(inputs), task, workspace, n_scores=n_scores)

    def backward(
        self,
        inputs: AdditiveInputs,
        dout: np.ndarray,
        dots: np.ndarray,
        log_sums: np.ndarray,
        gradients: AdditiveInputs,
        workspace: Workspace,
    ) -> None:
        """Write the gradients of queries, keys, values and context.

        Parameters
        ----------
        inputs : AdditiveInputs
        dout : ndarray of shape (channels, batch, queries)
            Gradient of the output.
        dots : ndarray of shape (batch, queries)
            The sum of ``dout * out`` over the channels.
        log_sums : ndarray of shape (batch, queries)
        gradients : AdditiveInputs
        workspace : Workspace
        """
        # In the order of the blocks, on one thread, since all add to the context's.
        gradients.k.fill(0)
        gradients.v.fill(0)
        gradients.context.fill(0)
        for block in chain.from_iterable(self._blocks(inputs)):
            own, d = inputs.at(block), gradients.at(block)
            samples, _, queries, _ = block
            hidden, weights = self._scores(own, block, workspace)
            weights_again(weights, log_sums[samples, queries])
            dmeans = dout[:, samples, queries].transpose(1, 0, 2)
            d.v[...] += np.matmul(dmeans, weights.swapaxes(-1, -2))
            # Of the softmax: dscores = weights * (dweights - sum of both over the keys)
            dscores = workspace.scratch("dscores", weights.shape, weights.dtype)
            np.matmul(own.v.swapaxes(-1, -2), dmeans, out=dscores)
            dscores -= dots[samples, np.newaxis, queries]
            dscores *= weights
            d.context[...] += hidden.reshape(len(hidden), -1) @ dscores.reshape(-1)
            # The derivative of tanh is 1 - hidden ** 2.
            np.multiply(hidden, hidden, out=hidden)
            np.subtract(1, hidden, out=hidden)
            hidden *= own.context.reshape(-1, 1, 1, 1)
            hidden *= dscores
            np.add.reduce(hidden, axis=2, out=d.q)
            d.k[...] += np.matmul(hidden, constant(1, hidden.shape[-1], hidden.dtype))

    def weights(self, inputs: AdditiveInputs, workspace: Workspace) -> np.ndarray:
        """Return all weights.

        Returns
        -------
        weights : ndarray of shape (batch, keys, queries)
        """
        n_samples, _, n_queries, n_keys = inputs.extent
        all_weights = np.zeros((n_samples, n_keys, n_queries), inputs.q.dtype)

        for block in chain.from_iterable(self._blocks(inputs)):
            samples, _, queries, keys = block
            _, weights = self._scores(inputs.at(block), block, workspace)
            sums = np.empty_like(weights[:, 0])
            exponentiate(weights, sums, np.empty_like(sums))
            all_weights[samples, keys, queries] = weights / sums[:, np.newaxis]
        return all_weights

    def _blocks(self, inputs: AdditiveInputs) -> list[list[Block]]:
        itemsize = inputs.q.itemsize * len(inputs.q)
        return blocks_of(
            inputs.extent,
            itemsize,
            causal=self.mask.causal,
            block_bytes=self.block_bytes,
        )

    def _scores(
        self, own: AdditiveInputs, block: Block, workspace: Workspace
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the hidden layer of a block, and the scores.

        Returns
        -------
        hidden : ndarray of shape (units, samples, keys, queries)
        scores : ndarray of shape (samples, keys, queries)
        """
        shape = (*own.k.shape, own.q.shape[-1])
        hidden = workspace.scratch("pairs", shape, own.q.dtype)
        np.add(own.k[..., np.newaxis], own.q[:, :, np.newaxis], out=hidden)
        np.tanh(hidden, out=hidden)
        scores = workspace.scratch("scores", shape[1:], own.q.dtype)
        np.matmul(own.context, hidden.reshape(len(hidden), -1), out=scores.reshape(-1))
        self.mask.hide(scores[:, np.newaxis], block)
        return hidden, scores
