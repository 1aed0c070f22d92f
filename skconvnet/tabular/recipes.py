"""A perceptron for tables with the hyperparameters that suit most of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet.architectures import tabular
from skconvnet.estimators import SequentialClassifier, SequentialRegressor
from skconvnet.optimizers import Adam
from skconvnet.schedules import Cosine
from skconvnet.tabular.columns import encode_columns


def make_tabular_classifier(**params: Any) -> Pipeline:  # noqa: ANN401  as the classifier has them
    """Return a classifier of tables: columns as numbers, then a perceptron.

    The pipeline has two steps. "columns" is a ColumnTransformer, which turns strings
    and other categories into columns of zeros and ones, replaces missing numbers by the
    median, and standardizes. "network" is a `SequentialClassifier` with the layers
    `tabular` of `skconvnet.architectures`, trained by Adam with a strong L2 penalty
    along half a cosine of learning rates, to the end: no samples are held out. This is
    what perceptrons for tables have in common [1]_ [2]_.

    X is a DataFrame of pandas, whose columns of strings, bools and dtype "category" are
    categories, or an array or a DataFrame of another library, in which all columns are
    read as numbers. Missing values are None, NaN or pandas' NA; among categories, they
    are one more. Dates, time differences and complex numbers are refused.

    Parameters
    ----------
    **params
        Hyperparameters of the `SequentialClassifier` in place of those of the recipe,
        such as ``random_state``, ``max_iter``, or ``layers``, which
        ``tabular(embedding_dims=4)`` returns with embeddings of numbers [3]_. In the
        pipeline, they are called ``network__max_iter``.

    Returns
    -------
    pipeline : Pipeline

    References
    ----------
    .. [1] A. Kadra, M. Lindauer, F. Hutter and J. Grabocka, "Well-tuned simple nets
       excel on tabular datasets", NeurIPS 2021.
    .. [2] D. Holzmueller, L. Grinsztajn and I. Steinwart, "Better by default: strong
       pre-tuned MLPs and boosted trees on tabular data", NeurIPS 2024.
    .. [3] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical
       features in tabular deep learning", NeurIPS 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import cross_val_score
    >>> from skconvnet.tabular import make_tabular_classifier
    >>> X, y = load_wine(return_X_y=True)
    >>> clf = make_tabular_classifier(random_state=0)
    >>> bool(cross_val_score(clf, X, y).mean() > 0.95)
    True
    """
    return _pipeline(SequentialClassifier, params)


def make_tabular_regressor(**params: Any) -> TransformedTargetRegressor:  # noqa: ANN401  as the regressor has them
    """Return a regressor of tables, which also standardizes the targets.

    Its ``regressor`` is a pipeline like that of `make_tabular_classifier`, with a
    `SequentialRegressor` as "network".

    Parameters
    ----------
    **params
        Hyperparameters of the `SequentialRegressor` in place of those of the recipe. In
        the result, they are called ``regressor__network__max_iter``, for example.

    Returns
    -------
    regressor : TransformedTargetRegressor

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import cross_val_score
    >>> from skconvnet.tabular import make_tabular_regressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = make_tabular_regressor(random_state=0)
    >>> bool(cross_val_score(reg, X, y).mean() > 0.45)
    True
    """
    pipeline = _pipeline(SequentialRegressor, params)
    return TransformedTargetRegressor(pipeline, transformer=StandardScaler())


def _pipeline(
    estimator: type[SequentialClassifier | SequentialRegressor], params: dict[str, Any]
) -> Pipeline:
    """Return the two steps, with `params` in place of those of the recipe.

    The hyperparameters were chosen on tables none of which is a data set of
    scikit-learn; benchmarks/rows_choice.py has the alternatives.
    """
    network = estimator(
        layers=tabular(),
        solver=Adam(beta_2=0.95),
        alpha=0.1,
        learning_rate=Cosine(),
        learning_rate_init=0.003,
        batch_size=32,
        max_iter=50,
        # The schedule ends the training.
        n_iter_no_change=np.inf,
        dtype="float32",
    )
    network.set_params(**params)
    return Pipeline([("columns", encode_columns()), ("network", network)])
