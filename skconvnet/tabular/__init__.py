"""Perceptrons for tables, as pipelines of scikit-learn."""

from typing import TYPE_CHECKING

from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.tabular.piecewise_linear import (
        PiecewiseLinearEncoder as PiecewiseLinearEncoder,
    )
    from skconvnet.tabular.recipes import (
        make_tabular_classifier as make_tabular_classifier,
    )
    from skconvnet.tabular.recipes import (
        make_tabular_regressor as make_tabular_regressor,
    )

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "piecewise_linear": ["PiecewiseLinearEncoder"],
        "recipes": ["make_tabular_classifier", "make_tabular_regressor"],
    },
)
