"""Links to the documentation, which scikit-learn shows in notebooks."""

from __future__ import annotations

from typing import ClassVar

from sklearn.base import BaseEstimator

_DOCS = "https://github.com/skconvnet/skconvnet/blob/main/docs/{page}"

# The page about the classes in each module or package of skconvnet.
PAGES = {
    "augmentation": "augmentation.md",
    "estimators": "estimators.md",
    "initializers": "initial_weights.md",
    "layers": "layers.md",
    "losses": "losses.md",
    "optimizers": "optimizers_and_learning_rates.md",
    "schedules": "optimizers_and_learning_rates.md",
    "text": "text_and_series.md",
}


class DocumentationLink(BaseEstimator):
    """Lets the "?" of scikit-learn's diagrams lead to our guide.

    The attributes are those of scikit-learn for this purpose. Subclasses outside of
    this package have no link.
    """

    _doc_link_module: ClassVar[str] = "skconvnet"
    _doc_link_template: ClassVar[str] = _DOCS

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        part = type(self).__module__.split(".")[1]
        return {"page": PAGES.get(part, "estimators.md")}
