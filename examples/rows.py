"""Predict the rent of flats from a table with numbers, categories and gaps.

    python examples/rows.py

The table is drawn at random: rents grow with the area, but less per square meter, and
depend on the distance from the center, the year of construction, the district, and a
balcony. One area in ten is missing. The recipe for tables takes the DataFrame as it is.
It is compared with other models of scikit-learn, which get the same columns, on
training sets that grow. This needs pandas.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin, clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline

from skconvnet.tabular import make_tabular_regressor

SIZES = (50, 200, 800)
N_TEST = 1000
SEEDS = (0, 1)
DISTRICTS = {"harbor": 0.25, "old town": 0.2, "hills": 0.1, "east": -0.1, "works": -0.2}


def draw_flats(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the columns of n flats, and their rents."""
    rng = np.random.default_rng(seed)
    area = rng.lognormal(4.2, 0.4, n)
    flats = pd.DataFrame(
        {
            "area": area,
            "distance": rng.gamma(2, 2, n),
            "year": rng.integers(1890, 2025, n),
            "district": rng.choice(list(DISTRICTS), n),
            "balcony": rng.random(n) < 0.4,
        }
    )
    age = (2025 - flats["year"]) / 100
    # Old houses are liked, and new ones; those between are not.
    logarithm = 3.5 + 0.8 * np.log(area) + 0.5 * (age - 0.6) ** 2
    logarithm += flats["district"].map(DISTRICTS) + 0.07 * flats["balcony"]
    logarithm -= 0.3 * np.tanh(flats["distance"] / 5)
    rents = np.exp(logarithm + rng.normal(0, 0.1, n))
    flats.loc[rng.random(n) < 0.1, "area"] = np.nan
    return flats, rents.to_numpy()


def make_models() -> dict[str, RegressorMixin]:
    """Return the recipe, and other models behind its conversion of columns."""
    recipe = make_tabular_regressor(random_state=0)
    columns = recipe.regressor["columns"]
    others = {
        "scikit-learn's MLP": MLPRegressor(random_state=0),
        "boosted trees": HistGradientBoostingRegressor(random_state=0),
        "linear model": RidgeCV(),
    }
    return {
        "recipe for tables": recipe,
        **{
            name: make_pipeline(clone(columns), other) for name, other in others.items()
        },
    }


def compare(models: dict[str, RegressorMixin]) -> dict[str, list[float]]:
    """Return the mean R^2 of each model on new flats, for each training size."""
    scores: dict[str, list[float]] = {}
    for name, model in models.items():
        scores[name] = []
        for size in SIZES:
            of_seeds = []
            for seed in SEEDS:
                flats, rents = draw_flats(size + N_TEST, seed)
                fitted = clone(model).fit(flats[:size], rents[:size])
                of_seeds.append(fitted.score(flats[size:], rents[size:]))
            scores[name].append(float(np.mean(of_seeds)))
    return scores


def main() -> int:
    """Print the scores."""
    print(f"R^2 on {N_TEST} new flats, after training on")
    print(f"{'':<20}" + "".join(f"{size:>10}" for size in SIZES))
    with warnings.catch_warnings():
        # scikit-learn's perceptron stops after 200 epochs by default.
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores = compare(make_models())
    for name, values in scores.items():
        print(f"{name:<20}" + "".join(f"{value:10.3f}" for value in values))
    return 0


if __name__ == "__main__":
    sys.exit(main())
