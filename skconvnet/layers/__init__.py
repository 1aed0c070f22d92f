"""Layers for `SequentialClassifier` and `SequentialRegressor`."""

from typing import TYPE_CHECKING

from skconvnet._foreign_words import LAYERS
from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.layers.activation import Activation as Activation
    from skconvnet.layers.activation import PReLU as PReLU
    from skconvnet.layers.activation import RReLU as RReLU
    from skconvnet.layers.adaptive_pooling import GlobalAvgPool as GlobalAvgPool
    from skconvnet.layers.adaptive_pooling import GlobalMaxPool as GlobalMaxPool
    from skconvnet.layers.adaptive_pooling import (
        SpatialPyramidPool as SpatialPyramidPool,
    )
    from skconvnet.layers.additive_attention import (
        AdditiveAttention as AdditiveAttention,
    )
    from skconvnet.layers.attention import MultiHeadAttention as MultiHeadAttention
    from skconvnet.layers.attention_pooling import AttentionPooling as AttentionPooling
    from skconvnet.layers.batch_norm import BatchNorm as BatchNorm
    from skconvnet.layers.bidirectional import Bidirectional as Bidirectional
    from skconvnet.layers.conv import Conv1D as Conv1D
    from skconvnet.layers.conv import Conv2D as Conv2D
    from skconvnet.layers.conv import Conv3D as Conv3D
    from skconvnet.layers.conv_transpose import Conv1DTranspose as Conv1DTranspose
    from skconvnet.layers.conv_transpose import Conv2DTranspose as Conv2DTranspose
    from skconvnet.layers.conv_transpose import Conv3DTranspose as Conv3DTranspose
    from skconvnet.layers.dense import Dense as Dense
    from skconvnet.layers.depthwise import DepthwiseConv2D as DepthwiseConv2D
    from skconvnet.layers.depthwise import SeparableConv1D as SeparableConv1D
    from skconvnet.layers.depthwise import SeparableConv2D as SeparableConv2D
    from skconvnet.layers.depthwise import SeparableConv3D as SeparableConv3D
    from skconvnet.layers.dropout import Dropout as Dropout
    from skconvnet.layers.dropout import GaussianNoise as GaussianNoise
    from skconvnet.layers.dropout import SpatialDropout as SpatialDropout
    from skconvnet.layers.dropout import StochasticDepth as StochasticDepth
    from skconvnet.layers.embedding import Embedding as Embedding
    from skconvnet.layers.encoder_decoder import EncoderDecoder as EncoderDecoder
    from skconvnet.layers.flatten import Flatten as Flatten
    from skconvnet.layers.group_norm import GroupNorm as GroupNorm
    from skconvnet.layers.group_norm import InstanceNorm as InstanceNorm
    from skconvnet.layers.gru import GRU as GRU
    from skconvnet.layers.layer_norm import LayerNorm as LayerNorm
    from skconvnet.layers.local_response_norm import (
        LocalResponseNorm as LocalResponseNorm,
    )
    from skconvnet.layers.locally_connected import (
        LocallyConnected1D as LocallyConnected1D,
    )
    from skconvnet.layers.locally_connected import (
        LocallyConnected2D as LocallyConnected2D,
    )
    from skconvnet.layers.lp_pooling import GlobalLpPool as GlobalLpPool
    from skconvnet.layers.lp_pooling import LpPool1D as LpPool1D
    from skconvnet.layers.lp_pooling import LpPool2D as LpPool2D
    from skconvnet.layers.lp_pooling import LpPool3D as LpPool3D
    from skconvnet.layers.lstm import LSTM as LSTM
    from skconvnet.layers.maxout import Maxout as Maxout
    from skconvnet.layers.parallel import Parallel as Parallel
    from skconvnet.layers.parametric_activations import CELU as CELU
    from skconvnet.layers.parametric_activations import ELU as ELU
    from skconvnet.layers.parametric_activations import SELU as SELU
    from skconvnet.layers.parametric_activations import LeakyReLU as LeakyReLU
    from skconvnet.layers.parametric_activations import SmoothClip as SmoothClip
    from skconvnet.layers.periodic_embedding import (
        PeriodicEmbedding as PeriodicEmbedding,
    )
    from skconvnet.layers.pooling import AvgPool1D as AvgPool1D
    from skconvnet.layers.pooling import AvgPool2D as AvgPool2D
    from skconvnet.layers.pooling import AvgPool3D as AvgPool3D
    from skconvnet.layers.pooling import MaxPool1D as MaxPool1D
    from skconvnet.layers.pooling import MaxPool2D as MaxPool2D
    from skconvnet.layers.pooling import MaxPool3D as MaxPool3D
    from skconvnet.layers.positional_encoding import (
        PositionalEncoding as PositionalEncoding,
    )
    from skconvnet.layers.rescaling import Rescaling as Rescaling
    from skconvnet.layers.rescaling import Standardize as Standardize
    from skconvnet.layers.reshape import Permute as Permute
    from skconvnet.layers.reshape import Reshape as Reshape
    from skconvnet.layers.residual import Residual as Residual
    from skconvnet.layers.rms_norm import RMSNorm as RMSNorm
    from skconvnet.layers.simple_rnn import SimpleRNN as SimpleRNN
    from skconvnet.layers.spatially_separable import (
        SpatiallySeparableConv2D as SpatiallySeparableConv2D,
    )
    from skconvnet.layers.time_distributed import TimeDistributed as TimeDistributed
    from skconvnet.layers.transformer import TransformerEncoder as TransformerEncoder
    from skconvnet.layers.upsampling import Upsample as Upsample
    from skconvnet.layers.whitening import WhiteningConv1D as WhiteningConv1D
    from skconvnet.layers.whitening import WhiteningConv2D as WhiteningConv2D
    from skconvnet.layers.whitening import WhiteningConv3D as WhiteningConv3D

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "activation": ["Activation", "PReLU", "RReLU"],
        "adaptive_pooling": ["GlobalAvgPool", "GlobalMaxPool", "SpatialPyramidPool"],
        "additive_attention": ["AdditiveAttention"],
        "attention": ["MultiHeadAttention"],
        "attention_pooling": ["AttentionPooling"],
        "batch_norm": ["BatchNorm"],
        "bidirectional": ["Bidirectional"],
        "conv": ["Conv1D", "Conv2D", "Conv3D"],
        "conv_transpose": ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"],
        "dense": ["Dense"],
        "depthwise": [
            "DepthwiseConv2D",
            "SeparableConv1D",
            "SeparableConv2D",
            "SeparableConv3D",
        ],
        "dropout": ["Dropout", "GaussianNoise", "SpatialDropout", "StochasticDepth"],
        "embedding": ["Embedding"],
        "encoder_decoder": ["EncoderDecoder"],
        "flatten": ["Flatten"],
        "group_norm": ["GroupNorm", "InstanceNorm"],
        "gru": ["GRU"],
        "layer_norm": ["LayerNorm"],
        "local_response_norm": ["LocalResponseNorm"],
        "locally_connected": ["LocallyConnected1D", "LocallyConnected2D"],
        "lp_pooling": ["GlobalLpPool", "LpPool1D", "LpPool2D", "LpPool3D"],
        "lstm": ["LSTM"],
        "maxout": ["Maxout"],
        "parallel": ["Parallel"],
        "parametric_activations": ["CELU", "ELU", "SELU", "LeakyReLU", "SmoothClip"],
        "periodic_embedding": ["PeriodicEmbedding"],
        "pooling": [
            "AvgPool1D",
            "AvgPool2D",
            "AvgPool3D",
            "MaxPool1D",
            "MaxPool2D",
            "MaxPool3D",
        ],
        "positional_encoding": ["PositionalEncoding"],
        "rescaling": ["Rescaling", "Standardize"],
        "reshape": ["Permute", "Reshape"],
        "residual": ["Residual"],
        "rms_norm": ["RMSNorm"],
        "simple_rnn": ["SimpleRNN"],
        "spatially_separable": ["SpatiallySeparableConv2D"],
        "time_distributed": ["TimeDistributed"],
        "transformer": ["TransformerEncoder"],
        "upsampling": ["Upsample"],
        "whitening": ["WhiteningConv1D", "WhiteningConv2D", "WhiteningConv3D"],
    },
    words=LAYERS,
)
