"""LSTM-FCN: a recurrent layer beside the convolutions of FCN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet._checks import check_fraction
from skconvnet.architectures._parts import scaled
from skconvnet.architectures.fcn import fcn
from skconvnet.layers import LSTM, Dropout, Parallel, Permute

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def lstm_fcn(units: int = 8, dropout: float = 0.8, width: float = 1.0) -> Layers:
    """Return FCN with an `LSTM` beside it, for series of one length [1]_.

    The branch "fcn" consists of the layers of :func:`fcn`. The other one, "lstm",
    transposes the series: the LSTM reads each channel as one step with as many features
    as the series has steps. The channels of both are joined. With the output layer for
    two classes, the network has 269,938 weights for series of 146 steps and one
    channel.

    Parameters
    ----------
    units : int, default=8
        Number of units of the LSTM. The paper chooses among 8, 64 and 128.
    dropout : float, default=0.8
        Share of the outputs of the LSTM that are set to zero in training, in [0, 1).
    width : float, default=1.0
        Factor by which the numbers of channels and units are multiplied.

    Returns
    -------
    layers : list of (str, layer)
        A single layer, a `Parallel`.

    Notes
    -----
    The kernel of the LSTM has a row for every step of the series, which hence must all
    have the same length.

    References
    ----------
    .. [1] F. Karim, S. Majumdar, H. Darabi and S. Chen, "LSTM fully convolutional
       networks for time series classification", IEEE Access 6, 2018.

    Examples
    --------
    >>> from skconvnet.architectures import lstm_fcn
    >>> [(name, both)] = lstm_fcn()
    >>> both.build((150, 1)).out_shape
    (136,)
    >>> both.build((150, 1)).weight_shapes["lstm/lstm/kernel"]
    (150, 32)
    """
    transposed: Layers = [
        ("transpose", Permute((2, 1))),
        ("lstm", LSTM(scaled("units", units, width))),
        ("drop", Dropout(check_fraction("dropout", dropout))),
    ]
    return [("lstm_fcn", Parallel([("lstm", transposed), ("fcn", fcn(width))]))]
