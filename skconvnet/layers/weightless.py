"""What layers without weights share: a backward pass for the input only."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.layers.base import Cache, Layer
from skconvnet.ops.workspace import Workspace


class WeightlessLayer(Layer[Cache]):
    """A layer without weights, which has `input_gradient` instead of `backward`."""

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: Cache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        return self.input_gradient(dy, cache, workspace) if need_dx else None

    @abstractmethod
    def input_gradient(
        self, dy: FeatureMap, cache: Cache, workspace: Workspace
    ) -> FeatureMap:
        """Return the gradient of the input.

        Parameters
        ----------
        dy : ndarray, shaped like the output
            Gradient of the output. The layer may overwrite it.
        cache : object
            What `forward` returned.
        workspace : Workspace
        """
