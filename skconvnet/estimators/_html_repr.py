"""What notebooks show of an estimator: its layers, and the parameters within others."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from sklearn.utils._repr_html.params import ParamsDict

from skconvnet._checks import is_int, is_sequence
from skconvnet._typing import Shape
from skconvnet.estimators._network_builder import Entry, LayerStack
from skconvnet.inspection.layer_table import Cells, html_layer_table
from skconvnet.inspection.summary import SummaryRow, layer_rows
from skconvnet.params.base import Params
from skconvnet.params.naming import OUTPUT_NAME

_OUTPUT: Cells = (OUTPUT_NAME, "Output", "from y", "from y")


class ParamsAndLayers(ParamsDict):
    """scikit-learn's table of parameters, between two tables of our own.

    Parameters
    ----------
    params : ParamsDict
        The parameters of the estimator itself.
    layers, nested : str
        The tables before and after, in HTML.
    """

    def __init__(self, params: ParamsDict, layers: str, nested: str) -> None:
        super().__init__(
            params=params.data,
            non_default=params.non_default,
            estimator_class=params.estimator_class,
            doc_link=params.doc_link,
        )
        self.layers = layers
        self.nested = nested

    def _html_repr(self) -> str:
        return f"{self.layers}{super()._html_repr()}{self.nested}"


def planned_layers_html(entries: Iterable[Entry], in_shape: Shape) -> str:
    """Return the table of the layers that fit would build; no weights are drawn."""
    stack = LayerStack(in_shape)
    for name, entry in entries:
        stack.add(name, entry)
    stack.flatten()
    rows = list(layer_rows(stack.specs, stack.layers))
    n_weights = sum(row.n_weights for row in rows if not row.depth)
    rows = [SummaryRow(0, "input", None, in_shape, 0), *rows]
    return html_layer_table(rows, [_OUTPUT], f"{n_weights:,} + output")


def known_shape(
    input_shape: object, spatial_ndim: int | None, data_format: str
) -> Shape | None:
    """Return the shape of a sample, channels last, if `input_shape` gives it.

    >>> known_shape((28, 28), 2, "channels_last"), known_shape(None, 2, "channels_last")
    ((28, 28, 1), None)
    """
    if not is_sequence(input_shape) or not all(is_int(n) for n in input_shape):
        return None
    shape = tuple(int(n) for n in input_shape)
    if spatial_ndim and len(shape) == spatial_ndim:
        return (*shape, 1)
    return (*shape[1:], shape[0]) if data_format == "channels_first" else shape


def nested_params_html(params: Mapping[str, Any]) -> str:
    """Return a table for each object among the parameters, such as a layer.

    `params` has the parameters of an estimator, those of nested objects included.
    """
    tables = list(_nested_tables(params))
    if not tables:
        return ""
    return (
        '<div class="estimator-table"><details><summary>Parameters of layers and other '
        f"objects</summary>{''.join(tables)}</details></div>"
    )


def _nested_tables(params: Mapping[str, Any]) -> Iterator[str]:
    for path, value in params.items():
        # scikit-learn looks names up as regular expressions.
        if isinstance(value, Params) and path.replace("-", "_").isidentifier():
            title = f"{path}: {type(value).__name__}"
            table = _with_prefix(value, f"{path}__")
            html = table._repr_html_inner()  # noqa: SLF001  scikit-learn's way
            yield html.replace(">Parameters<", f">{escape(title)}<", 1)


def _with_prefix(value: Params, prefix: str) -> ParamsDict:
    """Return the parameters named as a search names them, with their descriptions."""
    own = value._get_params_html(deep=False)  # noqa: SLF001  scikit-learn's way
    doc = inspect.getdoc(type(value)) or ""
    prefixed = re.sub(r"(?m)^(\w+) : ", lambda match: f"{prefix}{match[0]}", doc)
    return ParamsDict(
        params={prefix + name: param for name, param in own.items()},
        non_default=tuple(prefix + name for name in own.non_default),
        # scikit-learn takes only the docstring from this class.
        estimator_class=type(type(value).__name__, (), {"__doc__": prefixed}),
        doc_link=value._get_doc_link(),  # noqa: SLF001  scikit-learn's way
    )
