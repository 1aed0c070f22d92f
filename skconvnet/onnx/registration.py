"""Conversion of whole pipelines by skl2onnx."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from skconvnet.onnx.dependencies import import_for_export
from skconvnet.onnx.labels import labels_as_keys

if TYPE_CHECKING:
    from onnx import ModelProto

_CLASSIFIERS = ("MLPClassifier", "ConvNetClassifier", "SequentialClassifier")
_REGRESSORS = ("MLPRegressor", "ConvNetRegressor", "SequentialRegressor")
_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [False],
    "output_class_labels": [False, True],
    "raw_scores": [True, False],
}


def register() -> None:
    """Let skl2onnx convert the estimators, alone and inside of others.

    After this call, ``skl2onnx.to_onnx`` and ``skl2onnx.convert_sklearn`` convert
    pipelines, searches and ensembles that hold estimators of skconvnet. A second call
    changes nothing.

    The options of a classifier are those of skl2onnx: ``zipmap`` is True unless it is
    set, so that the second output is a map from labels to probabilities for each
    sample, and ``raw_scores=True`` replaces probabilities by the scores of
    `decision_function`; for two classes, these are the negative score and the score.
    As for other classifiers, labels that are booleans or whole numbers become int64.
    Numbers have the type that skl2onnx expects, which is float32 unless the input is
    float64; networks compute in their own dtype.

    Classifiers of several columns of labels have more outputs than skl2onnx has for a
    classifier: only `to_onnx` exports them. With labels of positions, ``zipmap`` must
    be False. A `FeatureExtractor` is converted unless its layer is the output layer.

    Raises
    ------
    ImportError
        If skl2onnx is not installed.

    Examples
    --------
    >>> import onnxruntime, skl2onnx
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> import skconvnet.onnx
    >>> from skconvnet import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((9,), solver="lbfgs", random_state=0)
    >>> clf = make_pipeline(StandardScaler(), clf).fit(X, y)
    >>> skconvnet.onnx.register()
    >>> model = skl2onnx.to_onnx(clf, X[:1], options={"zipmap": False})
    >>> session = onnxruntime.InferenceSession(model.SerializeToString())
    >>> label, probabilities = session.run(None, {"X": X})
    >>> bool((label == clf.predict(X)).all()), probabilities.shape
    (True, (150, 3))
    """
    skl2onnx = import_for_export("skl2onnx")
    # By their public names: in the order of imports, the estimators come later.
    package = import_module(__name__.split(".", maxsplit=1)[0])
    for name in _CLASSIFIERS:
        skl2onnx.update_registered_converter(
            getattr(package, name),
            f"Skconvnet{name}",
            _infer_outputs,
            _convert,
            options=_OPTIONS,
        )
    for name in (*_REGRESSORS, "FeatureExtractor"):
        skl2onnx.update_registered_converter(
            getattr(package, name), f"Skconvnet{name}", _infer_outputs, _convert
        )
    # It is parsed by its type alone, and else has what its base class has.
    columns = import_module(f"{package.__name__}.tabular.columns").TableColumns
    parsers = import_for_export("skl2onnx._parse").sklearn_parsers_map
    skl2onnx.update_registered_parser(columns, parsers[columns.__base__])


def _infer_outputs(operator: Any) -> None:  # noqa: ANN401  skl2onnx has no types
    """Set the types and shapes of the outputs of an operator."""
    types = import_for_export("skl2onnx.common.data_types")
    model = _export(operator, operator.scope_inst, opset=None)
    n = operator.inputs[0].get_first_dimension()
    zipmap = _zipmap_of(operator)
    feeds_zipmap = zipmap == "SklearnZipMap"  # of columns, it is another operator
    first = model.graph.output[0].type.tensor_type.shape.dim
    if zipmap is not None and len(first) > 2:  # samples and labels
        raise ValueError(
            "zipmap needs one label per sample, but the network predicts one at each "
            "position of a map. Pass options={'zipmap': False} to skl2onnx."
        )
    strings = import_for_export("onnx").TensorProto.STRING
    for own, output in zip(model.graph.output, operator.outputs, strict=True):
        tensor = own.type.tensor_type
        sizes = [axis.dim_value for axis in tensor.shape.dim[1:]]
        if own.name == "label":
            is_string = tensor.elem_type == strings
            kind = types.StringTensorType if is_string else types.Int64TensorType
            output.set_type(kind([n, *sizes]))
            continue
        shape = [n, *(sizes or [2])]
        if feeds_zipmap:
            n_classes = len(operator.raw_operator.classes_)
            if n_classes != shape[-1]:
                raise ValueError(
                    f"zipmap needs as many classes as there are {own.name}; got "
                    f"{n_classes} class and {shape[-1]} {own.name}. Pass options="
                    "{'zipmap': False} to skl2onnx."
                )
            output.set_type(types.FloatTensorType(shape))  # a map has no float64
        else:
            output.type.shape = shape


def _zipmap_of(operator: Any) -> str | None:  # noqa: ANN401  skl2onnx has no types
    """Return the type of what makes maps of the second output of an operator."""
    for other in operator.scope_inst.operators.values():
        kind: str = other.type
        is_fed = operator.outputs[-1] in list(other.inputs)
        if is_fed and kind.startswith("SklearnZipMap"):
            return kind
    return None


def _convert(scope: Any, operator: Any, container: Any) -> None:  # noqa: ANN401  skl2onnx has no types
    """Add the nodes of an estimator to those of a pipeline."""
    onnx = import_for_export("onnx")
    model = _export(operator, container, opset=container.target_opset_onnx)
    names = {"X": operator.inputs[0].full_name}
    for tensor in model.graph.initializer:
        own = names[tensor.name] = scope.get_unique_variable_name(tensor.name)
        content: Any = tensor
        if tensor.data_type == onnx.TensorProto.STRING:
            content = list(tensor.string_data)
        container.add_initializer(own, tensor.data_type, tensor.dims, content)
    for node in model.graph.node:
        for output in node.output:
            names[output] = scope.get_unique_variable_name(output)
        container.add_node(
            node.op_type,
            [names[name] for name in node.input],
            [names[output] for output in node.output],
            op_domain=node.domain,
            name=scope.get_unique_operator_name(node.name),
            **{a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
        )
    for own, output in zip(model.graph.output, operator.outputs, strict=True):
        value = names[own.name]
        if own.name == "label":
            labels_as_keys(operator.raw_operator.classes_)  # refuses fractions
        elif len(own.type.tensor_type.shape.dim) == 1:
            value = _two_sides(scope, container, value)
        _cast(scope, container, value, output)


def _export(operator: Any, owner: Any, *, opset: int | None) -> ModelProto:  # noqa: ANN401  skl2onnx has no types
    """Return the estimator of an operator as a model of its own.

    `owner` is the scope or the container that knows the options.
    """
    estimator = operator.raw_operator
    name = type(estimator).__name__
    if len(operator.inputs) != 1:
        raise ValueError(
            f"{name} takes one input of all features; got {len(operator.inputs)}. Put "
            "a ColumnTransformer before it, or pass initial_types with one entry."
        )
    classes = getattr(estimator, "classes_", None)
    if isinstance(classes, list):
        raise ValueError(
            f"{name} predicts {len(classes)} columns of labels, but skl2onnx has one "
            f"output of probabilities for a classifier. Export the {name} alone with "
            "its method to_onnx, or fit one model per column of y."
        )
    shape, dtype = _samples(operator.inputs[0], getattr(estimator, "n_features_in_", 0))
    if not all(shape):
        raise ValueError(
            f"{name} must know the shape of its samples; got an input of shape "
            f"{operator.inputs[0].type.shape}. Pass X, or initial_types with all "
            "lengths but the first, to skl2onnx."
        )
    options = {}
    if classes is not None:
        found = owner.get_options(estimator, {"raw_scores": False})
        options["raw_scores"] = bool(found["raw_scores"])
    with warnings.catch_warnings():
        # Columns have no names inside of a model.
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        X = np.zeros((1, *shape), dtype)
        export = getattr(estimator, "to_onnx", None) or estimator._to_onnx  # noqa: SLF001  of the same package
        model: ModelProto = export(X, opset=opset, **options)
    return model


def _samples(variable: Any, n_features: int) -> tuple[list[int], np.dtype[Any]]:  # noqa: ANN401  skl2onnx has no types
    """Return shape and dtype of the samples of an input; 0 is for unknown lengths."""
    helper = import_for_export("onnx").helper
    guess = import_for_export("skl2onnx.common.data_types").guess_proto_type
    shape = [n if isinstance(n, int) else 0 for n in variable.type.shape[1:]]
    if len(shape) < 2:  # the number of features may be unknown after a transformer
        shape = [n or n_features for n in shape or [0]]
    return shape, helper.tensor_dtype_to_np_dtype(guess(variable.type))


def _two_sides(scope: Any, container: Any, score: str) -> str:  # noqa: ANN401  skl2onnx has no types
    """Return the scores of two classes, of which `decision_function` has the second.

    This is what skl2onnx has for other classifiers.
    """
    int64 = import_for_export("onnx").TensorProto.INT64
    axes = scope.get_unique_variable_name("axes")
    container.add_initializer(axes, int64, [1], [1])
    column = scope.get_unique_variable_name("column")
    negative = scope.get_unique_variable_name("negative")
    both: str = scope.get_unique_variable_name("both")
    container.add_node("Unsqueeze", [score, axes], [column], name=column)
    container.add_node("Neg", [column], [negative], name=negative)
    container.add_node("Concat", [negative, column], [both], name=both, axis=1)
    return both


def _cast(scope: Any, container: Any, value: str, output: Any) -> None:  # noqa: ANN401  skl2onnx has no types
    """Let a value be an output of an operator, in the type that is declared."""
    types = import_for_export("skl2onnx.common.data_types")
    name = scope.get_unique_operator_name("output")
    if isinstance(output.type, types.StringTensorType):
        container.add_node("Identity", [value], [output.full_name], name=name)
        return
    to = types.guess_proto_type(output.type)
    container.add_node("Cast", [value], [output.full_name], name=name, to=to)
