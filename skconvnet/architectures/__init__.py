"""Published networks as lists of named layers, for the Sequential estimators.

Every function returns the hidden layers, a list of (name, layer); the estimator adds
the output layer from y. Lists add up, so that blocks make a network::

    layers = [
        *inception_block(8, 16, 4, 4, name="first"),
        *inception_block(16, 32, 8, 8, name="second"),
    ]

and a layer is replaced, or left out, by its name:
``SequentialClassifier(alexnet()).set_params(drop6="passthrough")``.

`width` multiplies the number of channels of every layer, and of the units of dense
layers. The product is rounded to the nearest whole number, halves up, and is at least
1; in layers of several groups each group is rounded by itself. Layers before a ReLU
start from "he_normal" weights, which fit it, if they have an initializer.
"""

from skconvnet.architectures.alexnet import alexnet
from skconvnet.architectures.deepface import deepface
from skconvnet.architectures.googlenet import googlenet, inception_3a, inception_block
from skconvnet.architectures.lenet import lenet
from skconvnet.architectures.nin import nin, nin_block
from skconvnet.architectures.plain import cifar_convnet, two_convolutions
from skconvnet.architectures.resnet import resnet, resnet_bottleneck
from skconvnet.architectures.vgg import vgg
from skconvnet.architectures.xception import xception_block

__all__ = [
    "alexnet",
    "cifar_convnet",
    "deepface",
    "googlenet",
    "inception_3a",
    "inception_block",
    "lenet",
    "nin",
    "nin_block",
    "resnet",
    "resnet_bottleneck",
    "two_convolutions",
    "vgg",
    "xception_block",
]
