"""Running exported models, and comparing them with the estimators they are of."""

import numpy as np
import pytest

# Of the largest output. The error function of float64 is computed in float32.
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
TOLERANCE_OF_ERF = 1e-6


def run(model, X, name="X"):
    """Return the outputs of a valid model by name; `X` may be a dict of inputs."""
    onnx = pytest.importorskip("onnx", reason="onnx is in the extra `onnx`")
    import onnxruntime

    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    inputs = X if isinstance(X, dict) else {name: X}
    return dict(zip(names, session.run(None, inputs), strict=True))


def randomize(estimator, seed=0):
    """Give all weights and buffers random values."""
    rng = np.random.default_rng(seed)
    values = {
        name: rng.normal(size=array.shape)
        for name, array in estimator.get_weights().items()
    }
    for name, array in values.items():
        if name.endswith(("variance", "deviation")):
            np.abs(array, out=array)
    return estimator.set_weights(values)


def assert_close(found, expected, tolerance, scale=None):
    """Assert that all differences are small, compared with the largest output.

    `scale` is the largest output if `expected` has some of them alone.
    """
    assert found.shape == expected.shape
    scale = np.abs(expected).max() if scale is None else scale
    assert scale > 0
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=tolerance)
