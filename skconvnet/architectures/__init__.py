"""Published networks as lists of named layers, for the Sequential estimators.

Each function returns the hidden layers as a list of (name, layer); the estimator adds
the output layer. Lists of blocks can be joined to form a network::

    layers = [
        *inception_block(8, 16, 4, 4, name="first"),
        *inception_block(16, 32, 8, 8, name="second"),
    ]

A layer can be replaced, or left out, by its name:
``SequentialClassifier(alexnet()).set_params(drop6="passthrough")``.

`width` multiplies the number of channels of every layer, and the number of units of
dense layers. The product is rounded to the nearest whole number, halves up, and is at
least 1. In layers of several groups, the channels of each group are rounded separately.
If a layer before a ReLU has an initializer, it is "he_normal", which suits ReLU.
"""

from skconvnet.architectures.alexnet import alexnet
from skconvnet.architectures.deepface import deepface
from skconvnet.architectures.fasttext import fasttext
from skconvnet.architectures.fcn import fcn
from skconvnet.architectures.googlenet import googlenet, inception_3a, inception_block
from skconvnet.architectures.han import han
from skconvnet.architectures.inception_time import inception_time
from skconvnet.architectures.lenet import lenet
from skconvnet.architectures.lstm_fcn import lstm_fcn
from skconvnet.architectures.nin import nin, nin_block
from skconvnet.architectures.plain import cifar_convnet, two_convolutions
from skconvnet.architectures.rcnn import rcnn
from skconvnet.architectures.resnet import resnet, resnet_bottleneck
from skconvnet.architectures.resnet_1d import resnet_1d
from skconvnet.architectures.tabular import tabular
from skconvnet.architectures.text_cnn import text_cnn
from skconvnet.architectures.text_rnn import text_rnn
from skconvnet.architectures.transformer_encoder import transformer_encoder
from skconvnet.architectures.vgg import vgg
from skconvnet.architectures.xception import xception_block

__all__ = [
    "alexnet",
    "cifar_convnet",
    "deepface",
    "fasttext",
    "fcn",
    "googlenet",
    "han",
    "inception_3a",
    "inception_block",
    "inception_time",
    "lenet",
    "lstm_fcn",
    "nin",
    "nin_block",
    "rcnn",
    "resnet",
    "resnet_1d",
    "resnet_bottleneck",
    "tabular",
    "text_cnn",
    "text_rnn",
    "transformer_encoder",
    "two_convolutions",
    "vgg",
    "xception_block",
]
