"""Shapes of the layers and of the weights of an architecture."""

from math import prod

from skconvnet.layers.chain import build_layers

PHOTO = (224, 224, 3)


def weight_shapes(layers, in_shape):
    return {
        f"{name}/{array}": shape
        for name, layer in build_layers(layers, in_shape).items()
        for array, shape in layer.weight_shapes.items()
    }


def n_weights(layers, in_shape, ending=""):
    shapes = weight_shapes(layers, in_shape)
    return sum(prod(s) for name, s in shapes.items() if name.endswith(ending))


def out_shapes(layers, in_shape):
    built = build_layers(layers, in_shape)
    return {name: layer.out_shape for name, layer in built.items()}
