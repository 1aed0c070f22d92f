"""An encoder and a decoder with attention, for sequence to sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_positive_int
from skconvnet._suggestions import shown_value
from skconvnet._typing import FeatureMap, Lengths, NamedArrays, Shape, override
from skconvnet.initializers import Initializer, draw_kernel, get_initializer
from skconvnet.layers.base import Layer
from skconvnet.layers.chain import Chain
from skconvnet.layers.composite import CompositeLayer, CompositeSpec, build_chain
from skconvnet.ops.attention.additive import AdditiveAttention, AdditiveInputs
from skconvnet.ops.attention.softmax import Mask
from skconvnet.ops.attention.steps_last import as_columns, to_batch_last, to_steps_last
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.position_products import project, write_gradients
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class EncoderDecoder(CompositeSpec):
    """Encode a source sequence, and decode a target that looks at all of its steps.

    A sample holds both: its first `source_length` steps are the source, and the others
    the target so far. In training, these are the true elements of the target, shifted
    by one step (teacher forcing), and y has the element that comes next at each step.
    In prediction, elements are appended one by one, each where the network predicted
    it.

    With m[s] for the outputs of the encoder and h[t] for those of the decoder, the
    additive attention of Bahdanau et al. [1]_ gives, after each step of the decoder as
    in [2]_, ::

        score(t, s) = context . tanh(h[t] @ query_kernel + m[s] @ key_kernel + bias)
        y[t] = [h[t], sum over s of softmax(score(t, .))[s] * m[s]]

    which has the length of the decoder's output and the channels of both.

    Steps must not depend on later ones in the decoder: it may have recurrent layers, or
    attention with ``causal=True``. Sources and targets of tokens may be shorter than
    their part of the sample if the `Embedding` of each has a `padding_token`, which
    comes at the end of the source and of the target. Steps of the target that are
    padding have no loss.

    Weights: ``query_kernel`` of shape (channels of the decoder, units), ``key_kernel``
    of shape (channels of the encoder, units), ``bias`` and ``context`` of shape
    (units,), and those of the layers, such as ``encoder/gru/kernel``.

    Parameters
    ----------
    encoder : list of layers
        Layers, or (name, layer) tuples, from the source to a sequence.
    decoder : list of layers
        Layers from the target to a sequence.
    source_length : int
        Number of steps of the source.
    units : int, default=64
        Number of hidden features from which a weight is computed.
    kernel_initializer : str or Initializer, default="auto"
        As in `AdditiveAttention`.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    Raises
    ------
    ValueError
        In `build`, if no step is left for the target, if the encoder or the decoder
        gives no sequence, or if a layer such as `BatchNorm` needs the whole minibatch.
        In `fit` and `predict`, if padding comes before tokens.

    References
    ----------
    .. [1] D. Bahdanau, K. Cho and Y. Bengio, "Neural machine translation by jointly
       learning to align and translate", ICLR 2015.
    .. [2] M.-T. Luong, H. Pham and C. D. Manning, "Effective approaches to
       attention-based neural machine translation", EMNLP 2015.

    Examples
    --------
    >>> from skconvnet.layers import GRU, Bidirectional, Embedding, EncoderDecoder
    >>> layer = EncoderDecoder(
    ...     encoder=[Embedding(12, 8), Bidirectional(GRU(16, return_sequences=True))],
    ...     decoder=[Embedding(12, 8), GRU(24, return_sequences=True)],
    ...     source_length=10,
    ... )
    >>> layer.build((16,)).out_shape
    (6, 56)
    """

    encoder: Sequence[LayerSpec | str | tuple[str, LayerSpec | str]]
    decoder: Sequence[LayerSpec | str | tuple[str, LayerSpec | str]]
    source_length: int
    units: int = 64
    kernel_initializer: str | Initializer = "auto"

    _prefixed_lists: ClassVar[tuple[str, ...]] = ("encoder", "decoder")

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        source_length = check_positive_int("source_length", self.source_length)
        length, *channels = in_shape
        if source_length >= length:
            raise ValueError(
                f"source_length={source_length} must be smaller than the length of a "
                f"sample, {length}: the steps after the source are the target."
            )
        lengths = {"encoder": source_length, "decoder": length - source_length}
        chains = {
            part: build_chain(part, getattr(self, part), (n, *channels))
            for part, n in lengths.items()
        }
        for part, chain in chains.items():
            _check_chain(part, chain)
        units = check_positive_int("units", self.units)
        initializer = get_initializer(self.kernel_initializer)
        return EncoderDecoderLayer(in_shape, chains, units, initializer)


def _check_chain(part: str, chain: Chain) -> None:
    if len(chain.out_shape) != 2:
        raise ValueError(
            f"{part} must give a sequence, (length, channels), but its output has "
            f"shape {chain.out_shape}; set return_sequences=True in its last recurrent "
            "layer, and leave out pooling and Flatten."
        )
    if chain.needs_whole_batch:
        raise ValueError(
            f"{part} has a layer that needs the whole minibatch, such as BatchNorm; "
            "use LayerNorm."
        )
    try:
        chain.check_padding()
    except ValueError as error:
        raise ValueError(f"{part}: {error}") from error


def _check_padding(name: str, tokens: np.ndarray, padding: int | None) -> None:
    """Raise a ValueError if padding comes before the tokens of a source or target."""
    if padding is None or tokens.ndim != 2:
        return
    is_token = tokens != padding
    # A target that is being predicted may have padding between its tokens.
    kind, is_early = "target", ~is_token[:1] & is_token.any(axis=0)
    if name == "encoder":
        kind, is_early = "source", ~is_token[:-1] & is_token[1:]
    if is_early.any():
        sample = tokens[:, is_early.any(axis=0).argmax()].astype(int).tolist()
        raise ValueError(
            f"EncoderDecoder needs padding at the end of each {kind}, but X has the "
            f"{kind} {shown_value(sample)} with padding_token={padding} before other "
            "tokens. Move it to the end."
        )


class EncoderDecoderCache(NamedTuple):
    """What `EncoderDecoderLayer` keeps for the backward pass.

    Attributes
    ----------
    chains : dict of str to list
        The caches of the encoder and the decoder.
    inputs : AdditiveInputs
        Of the attention, with the steps last. Its values are the encoder's outputs.
    decoded : ndarray of shape (channels, batch, steps)
        The decoder's outputs, with the steps last.
    means : ndarray of shape (channels, batch, steps)
    log_sums : ndarray of shape (batch, steps)
    mask : Mask
    """

    chains: dict[str, list[object]]
    inputs: AdditiveInputs
    decoded: np.ndarray
    means: np.ndarray
    log_sums: np.ndarray
    mask: Mask


class EncoderDecoderLayer(CompositeLayer[EncoderDecoderCache]):
    """Runtime layer of `EncoderDecoder`."""

    def __init__(
        self,
        in_shape: Shape,
        chains: dict[str, Chain],
        units: int,
        initializer: Initializer | None,
    ) -> None:
        encoder, decoder = chains["encoder"], chains["decoder"]
        (n_source, n_values), (n_steps, n_hidden) = encoder.out_shape, decoder.out_shape
        super().__init__(in_shape, (n_steps, n_hidden + n_values), chains)
        self.initializer = initializer
        self.own_shapes: dict[str, Shape] = {
            "query_kernel": (n_hidden, units),
            "key_kernel": (n_values, units),
            "bias": (units,),
            "context": (units,),
        }
        self.weight_shapes = {**self.weight_shapes, **self.own_shapes}
        self.penalized = (*self.penalized, "query_kernel", "key_kernel")
        products = 2 * units * (n_steps * n_hidden + n_source * n_values)
        self.flops += products + n_steps * n_source * (16 * units + 2 * n_values)
        self.cached_values += n_steps * (n_hidden + n_values) + n_source * n_values
        self.cached_values += units * (n_steps + n_source)

    @property
    @override
    def matrices(self) -> dict[str, MatrixForm]:
        own = ("query_kernel", "key_kernel")
        forms = {name: MatrixForm.dense(self.own_shapes[name]) for name in own}
        return {**super().matrices, **forms}

    @property
    @override
    def trained_shapes(self) -> dict[str, Shape]:
        own = {} if self.is_frozen else self.own_shapes
        return {**super().trained_shapes, **own}

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        drawn = super().initialize(rng)
        for name in ("query_kernel", "key_kernel"):
            n_in, n_out = self.own_shapes[name]
            fans = (n_in, n_out)
            drawn[name] = draw_kernel(rng, fans, fans, self.initializer)
        (units,) = self.own_shapes["bias"]
        context = draw_kernel(rng, (units, 1), (units, 1), self.initializer)
        return {**drawn, "bias": np.zeros(units), "context": context[:, 0]}

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        _, target = self._parts(x)
        return self.chains["decoder"].lengths_after(target, None)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, EncoderDecoderCache]:
        outputs, caches = {}, {}
        parts = dict(zip(self.chains, self._parts(x), strict=True))
        for name, part in parts.items():
            _check_padding(name, part, self.chains[name].padding_token)
            own = workspace.array(f"{name} x", part.shape, part.dtype)
            np.copyto(own, part)
            outputs[name], caches[name] = self.forward_chain(
                name, own, None, train=train, rng=rng, workspace=workspace
            )
        lengths = self.chains["encoder"].lengths_after(parts["encoder"], None)
        mask = Mask(lengths=lengths)
        decoded = _steps_last(outputs["decoder"], "decoded", workspace)
        inputs = self._inputs(outputs["encoder"], decoded, workspace)
        shape = (*inputs.v.shape[:2], decoded.shape[-1])
        means = workspace.array("means", shape, x.dtype)
        log_sums = workspace.array("log_sums", shape[1:], x.dtype)
        AdditiveAttention(mask).forward(inputs, means, log_sums, workspace)
        length, channels = self.out_shape
        y = workspace.array("y", (channels, length, x.shape[-1]), x.dtype)
        y[: len(decoded)] = outputs["decoder"]
        to_batch_last(means, y[len(decoded) :])
        cache = EncoderDecoderCache(caches, inputs, decoded, means, log_sums, mask)
        return y, cache

    @override
    def predict(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        y, _ = self.forward(x, train=False, rng=None, workspace=workspace)
        return y

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: EncoderDecoderCache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        n_hidden = len(cache.decoded)
        d = self._attention_gradients(dy[n_hidden:], cache, workspace)
        dq, dk = as_columns(d.q), as_columns(d.k)
        if not self.is_frozen:
            decoded, values = as_columns(cache.decoded), as_columns(cache.inputs.v)
            dkernel, dbias = gradients["query_kernel"], gradients["bias"]
            write_gradients(decoded, dq, dkernel, dbias)
            write_gradients(values, dk, gradients["key_kernel"], None)
            gradients["context"][...] = d.context
        dvalues = self._through(("key_kernel", dk), d.v.shape, workspace)
        dvalues += d.v
        ddecoded = self._through(("query_kernel", dq), cache.decoded.shape, workspace)
        dys = {
            name: _batch_last(own, f"{name} dy", workspace)
            for name, own in (("encoder", dvalues), ("decoder", ddecoded))
        }
        dys["decoder"] += dy[:n_hidden]
        dxs = [
            self.backward_chain(
                name,
                own,
                cache.chains[name],
                gradients=gradients,
                workspace=workspace,
                need_dx=need_dx,
            )
            for name, own in dys.items()
        ]
        if not need_dx:
            return None
        axis = 0 if len(self.in_shape) == 1 else 1
        return np.concatenate([dx for dx in dxs if dx is not None], axis=axis)

    def attention_weights(self, x: FeatureMap, workspace: Workspace) -> np.ndarray:
        """Return how much each step of the target looks at each step of the source.

        Parameters
        ----------
        x : ndarray of shape (length, batch) or (channels, length, batch)
            The input of the layer.
        workspace : Workspace

        Returns
        -------
        weights : ndarray of shape (1, steps, source_steps, batch)
            ``weights[0, t, s, i]`` is the weight of step s of the source in the output
            at step t of sample i.
        """
        _, cache = self.forward(x, train=False, rng=None, workspace=workspace)
        weights = AdditiveAttention(cache.mask).weights(cache.inputs, workspace)
        return weights.transpose(2, 1, 0)[np.newaxis]

    def _parts(self, x: FeatureMap) -> tuple[FeatureMap, FeatureMap]:
        """View the source and the target in samples."""
        n = self.chains["encoder"].in_shape[0]
        return (x[:n], x[n:]) if x.ndim == 2 else (x[:, :n], x[:, n:])

    def _inputs(
        self, memory: FeatureMap, decoded: np.ndarray, workspace: Workspace
    ) -> AdditiveInputs:
        """Return queries, keys and values of the attention, with the steps last."""
        v = _steps_last(memory, "v", workspace)
        (units,) = self.own_shapes["bias"]
        q = workspace.array("q", (units, *decoded.shape[1:]), v.dtype)
        k = workspace.array("k", (units, *v.shape[1:]), v.dtype)
        w = self.weights
        project(w["query_kernel"], w["bias"], as_columns(decoded), as_columns(q))
        project(w["key_kernel"], None, as_columns(v), as_columns(k))
        return AdditiveInputs(q, k, v, w["context"])

    def _attention_gradients(
        self, dmeans: FeatureMap, cache: EncoderDecoderCache, workspace: Workspace
    ) -> AdditiveInputs:
        """Return the gradients of queries, keys, values and context."""
        own = _steps_last(dmeans, "dmeans", workspace)
        dots = np.add.reduce(own * cache.means, axis=0)
        d = AdditiveInputs(
            *(
                workspace.array(f"d{name}", array.shape, array.dtype)
                for name, array in zip(cache.inputs._fields, cache.inputs, strict=True)
            )
        )
        AdditiveAttention(cache.mask).backward(
            cache.inputs, own, dots, cache.log_sums, d, workspace
        )
        return d

    def _through(
        self,
        kernel_and_gradient: tuple[str, np.ndarray],
        shape: Shape,
        workspace: Workspace,
    ) -> np.ndarray:
        """Return the gradient of what a kernel multiplies."""
        name, gradient = kernel_and_gradient
        product = workspace.array(f"through {name}", shape, gradient.dtype)
        np.matmul(self.weights[name], gradient, out=as_columns(product))
        return product


def _steps_last(x: FeatureMap, name: str, workspace: Workspace) -> np.ndarray:
    """Return (channels, batch, steps) of a map (channels, steps, batch)."""
    channels, steps, batch = x.shape
    return to_steps_last(x, workspace.array(name, (channels, batch, steps), x.dtype))


def _batch_last(x: np.ndarray, name: str, workspace: Workspace) -> FeatureMap:
    """Return a map (channels, steps, batch) of (channels, batch, steps)."""
    channels, batch, steps = x.shape
    return to_batch_last(x, workspace.array(name, (channels, steps, batch), x.dtype))
