"""The hyperparameter `augmentation` of estimators that take maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from skconvnet.augmentation.base import Augmenter
from skconvnet.augmentation.compose import as_augmentation
from skconvnet.augmentation.sizes import build_for_shapes
from skconvnet.engine.inputs import Samples, resolve_batch_size
from skconvnet.params.nested import NestedParams

if TYPE_CHECKING:
    from skconvnet.estimators._network_builder import BuiltEstimator as _Base
else:
    _Base = object


@dataclass(kw_only=True, eq=False, repr=False)
class AugmentedEstimator(NestedParams, _Base):
    """Builds the augmentation, and reaches into a list of several."""

    augmentation: Any = None

    _prefixed_lists: ClassVar[tuple[str, ...]] = ("augmentation",)

    def _make_augmenter(self, samples: Samples) -> Augmenter | None:
        if self.augmentation is None:
            return None
        augmentation = as_augmentation(self.augmentation)
        try:
            augmenter = build_for_shapes(augmentation, samples.inputs.shapes)
        except (TypeError, ValueError) as error:
            raise type(error)(f"augmentation: {error}") from error
        if augmenter is not None and augmenter.mixes_targets:
            self._check_mixable(len(samples))
        return augmenter

    def _check_mixable(self, n_samples: int) -> None:
        size = n_samples
        if self._is_stochastic:
            size = resolve_batch_size(self.batch_mode, self.batch_size, n_samples)
        if min(size, self.network_.micro_batch_size(size)) < 2:
            raise ValueError(
                f"augmentation={self.augmentation!r} mixes samples that are worked "
                "through together, which here is only 1: an update has "
                f"{size} sample(s), of shape {self.network_.in_shape}. Give a larger "
                "batch_size, leave batch_mode at 'mbgd', or leave out Mixup."
            )
