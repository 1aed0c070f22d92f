"""The base class of the methods of attribution."""

from __future__ import annotations

from abc import ABC, abstractmethod

from skconvnet._typing import Image
from skconvnet.inspection.attribution.samples import ExplainedSamples


class AttributionMethod(ABC):
    """A way to say which parts of a sample its score depends on.

    Subclasses are dataclasses, whose fields are the options of the method. They check
    those that do not depend on the samples when they are made, and the others in
    `explain`, before anything is computed.
    """

    @abstractmethod
    def explain(self, samples: ExplainedSamples) -> Image | list[Image]:
        """Return the attributions of the samples, in the form of X."""
