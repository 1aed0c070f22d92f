"""The hyperparameter `augmentation` of estimators that take maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skconvnet.augmentation.base import Augmenter
from skconvnet.augmentation.compose import as_augmentation
from skconvnet.augmentation.sizes import build_for_shapes
from skconvnet.engine.inputs import Samples, resolve_batch_size
from skconvnet.params.nested import is_list, nested_params, replaced

if TYPE_CHECKING:
    from skconvnet.estimators._network_builder import BuiltEstimator as _Base
else:
    _Base = object


@dataclass(kw_only=True, eq=False, repr=False)
class AugmentedEstimator(_Base):
    """Builds the augmentation, and reaches into a list of several."""

    augmentation: Any = None

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

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with those of objects where `deep` is True.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add the parameters of objects, and of the augmentations in a
            list, as ``name__parameter``.
        """
        params = super().get_params(deep=deep)
        return {**params, **nested_params(self._steps())} if deep else params

    def set_params(self, **params: Any) -> Any:
        """Set parameters of the estimator, or of objects within it.

        Parameters
        ----------
        **params : dict
            Such as ``augmentation=Shift(2)``, ``augmentation__max_pixels=2``, or for a
            list ``augmentation__shift="passthrough"``. The list is never written to.

        Returns
        -------
        self : object
        """
        if "augmentation" in params:
            self.augmentation = params.pop("augmentation")
        steps = self._steps()
        inside = {k: params.pop(k) for k in list(params) if steps and _is_inside(k)}
        others = replaced(steps, inside)
        if others is not None:
            self.augmentation = others[0][1]
        return super().set_params(**params)

    def _steps(self) -> list[tuple[str, Any]]:
        """The list of augmentations with its name, where it is a list."""
        is_one = is_list(self.augmentation)
        return [("augmentation", self.augmentation)] if is_one else []


def _is_inside(key: str) -> bool:
    return key.startswith("augmentation__")
