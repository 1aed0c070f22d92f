"""Gated recurrent units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._checks import check_bool
from skconvnet._typing import Shape, override
from skconvnet.initializers import Initializer
from skconvnet.layers.recurrent_base import RecurrentLayer, RecurrentSpec
from skconvnet.ops.activations import get_activation
from skconvnet.ops.recurrent.gru_reset_after import ResetAfterCell
from skconvnet.ops.recurrent.gru_reset_before import ResetBeforeCell


@dataclass(eq=False, repr=False)
class GRU(RecurrentSpec):
    """Gated recurrent units [1]_, a recurrent layer with two gates.

    With h of shape (units,), zero at first, each step t computes::

        z = recurrent_activation(x[t] @ kernel_z + h @ recurrent_z + bias_z)
        r = recurrent_activation(x[t] @ kernel_r + h @ recurrent_r + bias_r)
        g = activation(x[t] @ kernel_g + bias_g + r * (h @ recurrent_g + bias_p))
        h = z * h + (1 - z) * g

    or, if the reset gate comes before the product,
    ``g = activation(x[t] @ kernel_g + bias_g + (r * h) @ recurrent_g)``.

    Input (length, channels); the output is the last h, of shape (units,), or all of
    them, of shape (length, units). Weights: ``kernel`` of shape (channels, 3 * units)
    and ``recurrent_kernel`` of shape (units, 3 * units), whose columns belong to z, r
    and g, as in Keras; and ``bias`` of shape (2, 3 * units), whose rows are added to
    the products with the one and with the other, or of shape (3 * units,) if the reset
    gate comes before. `alpha` shrinks both kernels.

    Parameters
    ----------
    units : int
        Length of the state, which is the number of outputs.
    activation : str, default="tanh"
        Function by name, as in `Dense`.
    recurrent_activation : str, default="logistic"
        Activation of the gates.
    use_bias : bool, default=True
        Whether there is a bias.
    kernel_initializer : str or Initializer, default="auto"
        As in `Dense`; "auto" is "glorot_uniform". Biases are 0 at first.
    recurrent_initializer : str or Initializer, default="orthogonal"
        That of the recurrent kernel.
    dropout : float, default=0.0
        Share of the input channels that are zero in training, in [0, 1). It is drawn
        once per sample, for all steps and gates [2]_.
    recurrent_dropout : float, default=0.0
        The same for the values of h that are multiplied by the recurrent kernel.
    return_sequences : bool, default=False
        Whether the output is the h of all steps, instead of the last one.
    go_backwards : bool, default=False
        Whether the last step comes first. As in Keras, the outputs are in the order in
        which they are computed.
    reset_after : bool, default=True
        Whether the reset gate comes after the product with the recurrent kernel, as in
        PyTorch and by default in Keras. It is faster. False is as in the paper.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
       statistical machine translation", EMNLP 2014.
    .. [2] Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in
       recurrent neural networks", NIPS 2016.

    Examples
    --------
    >>> from skconvnet.layers import GRU
    >>> GRU(64).build((100, 8)).out_shape
    (64,)
    >>> GRU(64, return_sequences=True).build((100, 8)).out_shape
    (100, 64)
    """

    activation: str | None = "tanh"
    recurrent_activation: str | None = "logistic"
    use_bias: bool = True
    kernel_initializer: str | Initializer = "auto"
    recurrent_initializer: str | Initializer = "orthogonal"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    return_sequences: bool = False
    go_backwards: bool = False
    reset_after: bool = True

    @override
    def build(self, in_shape: Shape) -> RecurrentLayer:
        units = self._checked_units(in_shape)
        reset_after = check_bool("reset_after", self.reset_after)
        cell = (ResetAfterCell if reset_after else ResetBeforeCell)(
            units,
            get_activation(self.activation),
            get_activation(self.recurrent_activation, "recurrent_activation"),
        )
        bias = np.zeros((2, 3 * units) if reset_after else 3 * units)
        return RecurrentLayer(in_shape, cell, self._options(), bias)
