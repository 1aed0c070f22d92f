"""Inspection of networks: tables, pictures, and what predictions depend on."""

from typing import TYPE_CHECKING

from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.inspection.attention import attention_weights as attention_weights
    from skconvnet.inspection.attribution.attribute import attribute as attribute
    from skconvnet.inspection.displays.attributions import (
        AttributionDisplay as AttributionDisplay,
    )
    from skconvnet.inspection.displays.feature_maps import (
        FeatureMapDisplay as FeatureMapDisplay,
    )
    from skconvnet.inspection.displays.filters import FilterDisplay as FilterDisplay
    from skconvnet.inspection.displays.learning_curve import (
        LearningCurveDisplay as LearningCurveDisplay,
    )
    from skconvnet.inspection.displays.mistakes import (
        MistakesDisplay as MistakesDisplay,
    )
    from skconvnet.inspection.displays.network import NetworkDisplay as NetworkDisplay
    from skconvnet.inspection.displays.training import TrainingCurves as TrainingCurves
    from skconvnet.inspection.summary import format_summary as format_summary

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "attention": ["attention_weights"],
        "attribution.attribute": ["attribute"],
        "displays.attributions": ["AttributionDisplay"],
        "displays.feature_maps": ["FeatureMapDisplay"],
        "displays.filters": ["FilterDisplay"],
        "displays.learning_curve": ["LearningCurveDisplay"],
        "displays.mistakes": ["MistakesDisplay"],
        "displays.network": ["NetworkDisplay"],
        "displays.training": ["TrainingCurves"],
        "summary": ["format_summary"],
    },
)
