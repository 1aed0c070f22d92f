"""Long short-term memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._checks import check_bool
from skconvnet._typing import Shape, override
from skconvnet.initializers import Initializer
from skconvnet.layers.recurrent_base import RecurrentLayer, RecurrentSpec
from skconvnet.ops.activations import get_activation
from skconvnet.ops.recurrent.lstm import LSTMCell


@dataclass(eq=False, repr=False)
class LSTM(RecurrentSpec):
    """Long short-term memory [1]_, a recurrent layer with a gated memory.

    With h and c of shape (units,), zero at first, each step t computes::

        i, f, o = recurrent_activation(...)
        g = activation(...)         each of  x[t] @ kernel + h @ recurrent_kernel + bias
        c = f * c + i * g
        h = o * activation(c)

    Input (length, channels); the output is the last h, of shape (units,), or all of
    them, of shape (length, units). Weights: ``kernel`` of shape (channels, 4 * units),
    ``recurrent_kernel`` of shape (units, 4 * units) and ``bias`` of shape (4 *
    units,), whose columns belong to i, f, g and o, as in Keras. `alpha` shrinks both
    kernels.

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
        As in `Dense`; "auto" is "glorot_uniform".
    recurrent_initializer : str or Initializer, default="orthogonal"
        That of the recurrent kernel.
    unit_forget_bias : bool, default=True
        Whether the bias of f is 1 at first, so that the memory is kept [2]_. All other
        biases are 0.
    dropout : float, default=0.0
        Share of the input channels that are zero in training, in [0, 1). It is drawn
        once per sample, for all steps and gates [3]_.
    recurrent_dropout : float, default=0.0
        The same for the values of h that are multiplied by the recurrent kernel.
    return_sequences : bool, default=False
        Whether the output is the h of all steps, instead of the last one.
    go_backwards : bool, default=False
        Whether the last step comes first. As in Keras, the outputs are in the order in
        which they are computed.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural
       Computation 9(8), 1997.
    .. [2] R. Jozefowicz, W. Zaremba and I. Sutskever, "An empirical exploration of
       recurrent network architectures", ICML 2015.
    .. [3] Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in
       recurrent neural networks", NIPS 2016.

    Examples
    --------
    >>> from skconvnet.layers import LSTM
    >>> LSTM(64).build((100, 8)).out_shape
    (64,)
    >>> LSTM(64, return_sequences=True).build((100, 8)).out_shape
    (100, 64)
    """

    activation: str | None = "tanh"
    recurrent_activation: str | None = "logistic"
    use_bias: bool = True
    kernel_initializer: str | Initializer = "auto"
    recurrent_initializer: str | Initializer = "orthogonal"
    unit_forget_bias: bool = True
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    return_sequences: bool = False
    go_backwards: bool = False

    @override
    def build(self, in_shape: Shape) -> RecurrentLayer:
        units = self._checked_units(in_shape)
        cell = LSTMCell(
            units,
            get_activation(self.activation),
            get_activation(self.recurrent_activation, "recurrent_activation"),
        )
        bias = np.zeros(4 * units)
        if check_bool("unit_forget_bias", self.unit_forget_bias):
            bias[cell.block(1)] = 1
        return RecurrentLayer(in_shape, cell, self._options(), bias)
