"""The layers of a network as an HTML table, in the style of scikit-learn's diagrams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from sklearn import config_context

from skconvnet.inspection.summary import SummaryRow
from skconvnet.params.nested import NestedParams

# Longer tables are folded up at first.
_MAX_OPEN = 40
_HEADER = ("Name", "Layer", "Output shape", "Weights")

Cells = tuple[str, str, str, str]


def html_layer_table(
    rows: Sequence[SummaryRow], later: Iterable[Cells] = (), total: str | None = None
) -> str:
    """Return a table of the layers; a tooltip of each shows its hyperparameters.

    The classes are those of scikit-learn's tables of parameters, whose style sheet
    adapts them to the theme of the notebook.

    Parameters
    ----------
    rows : sequence of SummaryRow
    later : iterable of tuple of str, optional
        The cells of layers that are not known yet.
    total : str, optional
        The number of weights in the last row. By default it is their sum.
    """
    if total is None:
        total = f"{sum(row.n_weights for row in rows if not row.depth):,}"
    lines = [_row(_cells(row), _hyperparameters(row), row.depth) for row in rows]
    lines += [_row(cells) for cells in later]
    lines.append(_row(("total", "", "", total)))
    is_open = " open" if len(lines) <= _MAX_OPEN else ""
    header = "".join(f"<th>{text}</th>" for text in _HEADER)
    return (
        f'<div class="estimator-table"><details{is_open}><summary>Layers</summary>'
        f'<table class="parameters-table"><tbody><tr>{header}</tr>'
        f"{''.join(lines)}</tbody></table></details></div>"
    )


def _cells(row: SummaryRow) -> Cells:
    return row.name, row.kind, str(row.out_shape), f"{row.n_weights:,}"


def _hyperparameters(row: SummaryRow) -> str:
    # Layers that are made of layers are followed by these.
    if row.spec is None or isinstance(row.spec, NestedParams):
        return ""
    with config_context(print_changed_only=True):
        return repr(row.spec)


def _row(cells: Cells, tooltip: str = "", depth: int = 0) -> str:
    name, kind, out_shape, weights = map(escape, cells)
    indent = f' style="padding-left: {depth + 0.5}em"' if depth else ""
    title = f' title="{escape(tooltip)}"' if tooltip else ""
    return (
        f'<tr class="default"><td{indent}>{name}</td><td{title}>{kind}</td>'
        f"<td>{out_shape}</td><td>{weights}</td></tr>"
    )
