"""Inspection of networks, and of what their predictions depend on."""

from typing import TYPE_CHECKING

from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.inspection.attribution.attribute import attribute as attribute
    from skconvnet.inspection.summary import format_summary as format_summary

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "attribution.attribute": ["attribute"],
        "summary": ["format_summary"],
    },
)
