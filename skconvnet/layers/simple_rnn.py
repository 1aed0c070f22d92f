"""Simple recurrent networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._typing import Shape, override
from skconvnet.initializers import Initializer
from skconvnet.layers.recurrent_base import RecurrentLayer, RecurrentSpec
from skconvnet.ops.activations import get_activation
from skconvnet.ops.recurrent.simple import SimpleCell


@dataclass(eq=False, repr=False)
class SimpleRNN(RecurrentSpec):
    """A simple recurrent network [1]_: a dense layer that also sees its last output.

    With h of shape (units,), zero at first, each step t computes::

        h = activation(x[t] @ kernel + h @ recurrent_kernel + bias)

    Input (length, channels); the output is the last h, of shape (units,), or all of
    them, of shape (length, units). Weights: ``kernel`` of shape (channels, units),
    ``recurrent_kernel`` of shape (units, units) and ``bias`` of shape (units,).
    `alpha` shrinks both kernels.

    Parameters
    ----------
    units : int
        Length of the state, which is the number of outputs.
    activation : str, default="tanh"
        Function by name, as in `Dense`.
    use_bias : bool, default=True
        Whether there is a bias.
    kernel_initializer : str or Initializer, default="auto"
        As in `Dense`; "auto" is "glorot_uniform". The bias is 0 at first.
    recurrent_initializer : str or Initializer, default="orthogonal"
        That of the recurrent kernel.
    dropout : float, default=0.0
        Share of the input channels that are zero in training, in [0, 1). It is drawn
        once per sample, for all steps [2]_.
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
    .. [1] J. L. Elman, "Finding structure in time", Cognitive Science 14(2), 1990.
    .. [2] Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in
       recurrent neural networks", NIPS 2016.

    Examples
    --------
    >>> from skconvnet.layers import SimpleRNN
    >>> SimpleRNN(64).build((100, 8)).out_shape
    (64,)
    >>> SimpleRNN(64, return_sequences=True).build((100, 8)).out_shape
    (100, 64)
    """

    activation: str | None = "tanh"
    use_bias: bool = True
    kernel_initializer: str | Initializer = "auto"
    recurrent_initializer: str | Initializer = "orthogonal"
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    return_sequences: bool = False
    go_backwards: bool = False

    @override
    def build(self, in_shape: Shape) -> RecurrentLayer:
        units = self._checked_units(in_shape)
        cell = SimpleCell(units, get_activation(self.activation))
        return RecurrentLayer(in_shape, cell, self._options(), np.zeros(units))
