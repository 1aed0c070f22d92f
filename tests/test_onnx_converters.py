"""Every layer is exported, or has a reason not to be. Needs none of the packages."""

from layer_cases import CASES

from skconvnet import layers
from skconvnet.layers.dense import Output
from skconvnet.layers.position_dense import PositionDenseLayer
from skconvnet.onnx.containers import CONVERTERS

# Layers of skconvnet.layers without a converter, each with the reason. A new layer gets
# a converter, or a place here and in docs/onnx.md.
NOT_CONVERTED: dict[str, str] = {}
# The layers that an estimator adds for rows and for maps.
OUTPUTS = {type(Output(3).build(shape)) for shape in ((5,), (6, 5, 2))}


# Layers that are only a part of others.
INNER = {PositionDenseLayer}


def test_every_layer_has_a_converter_or_a_reason():
    built = {}
    for spec, shape in CASES:
        built.setdefault(type(spec).__name__, set()).add(type(spec.build(shape)))
    assert set(built) == set(layers.__all__)
    missing = {name for name, kinds in built.items() if not kinds <= set(CONVERTERS)}
    assert missing == set(NOT_CONVERTED)


def test_every_converter_is_of_a_layer():
    built = {type(spec.build(shape)) for spec, shape in CASES}
    assert set(CONVERTERS) <= built | OUTPUTS | INNER


def test_the_output_layers_of_rows_and_maps_have_converters():
    assert set(CONVERTERS) >= OUTPUTS
