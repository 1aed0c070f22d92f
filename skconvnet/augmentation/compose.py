"""Composition of several augmentations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skconvnet._checks import check_length, is_sequence
from skconvnet._typing import Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, Batch, JointAugmenter
from skconvnet.augmentation.origin import Epoch
from skconvnet.augmentation.versions import Versions
from skconvnet.ops.workspace import Workspace
from skconvnet.params.naming import PASSTHROUGH, name_layers
from skconvnet.params.nested import NestedParams, is_list


@dataclass(eq=False, repr=False)
class Compose(NestedParams, Augmentation):
    """Apply several augmentations, one after the other.

    Passing a plain list as the `augmentation` of an estimator has the same effect.

    Parameters
    ----------
    steps : list of (str, Augmentation) tuples or of augmentations, default=()
        The augmentations, in order; "passthrough" leaves a step out. A step without a
        name is named after its class, such as ``shift``; if there are several of one
        class, they are numbered, as in ``shift_1`` and ``shift_2``. A search reaches
        their parameters as ``augmentation__shift__max_pixels``.

    Examples
    --------
    >>> from skconvnet.augmentation import Compose, Flip, Shift
    >>> both = Compose([Shift(2), ("mirror", Flip())])
    >>> both.set_params(shift__max_pixels=3, mirror="passthrough").steps[0]
    ('shift', Shift(max_pixels=3))
    """

    steps: Sequence[Augmentation | str | tuple[str, Augmentation | str]] = ()

    spatial_ndims: ClassVar[tuple[int, ...] | None] = None
    _lists: ClassVar[tuple[str, ...]] = ("steps",)

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        built: list[Augmenter] = []
        for name, step in _check_steps(self.steps):
            try:
                augmenter = step.build(in_shape)
            except (TypeError, ValueError) as error:
                raise type(error)(f"step {name!r}: {error}") from error
            if augmenter is None:
                continue
            if built and built[-1].out_shapes != {in_shape}:
                raise ValueError(
                    f"step {name!r} comes after one that changes the size of samples; "
                    "put that one last."
                )
            built.append(augmenter)
        return ComposedAugmenter(in_shape, built) if built else None


class ComposedAugmenter(JointAugmenter):
    """Applies several augmenters, its parts, in order."""

    @property
    @override
    def out_shapes(self) -> set[Shape]:
        return self.parts[-1].out_shapes

    @override
    def out_shape(self, in_shape: Shape, epoch: Epoch | None) -> Shape:
        return self.parts[-1].out_shape(in_shape, epoch)

    @override
    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        for i, step in enumerate(self.parts):
            batch = step(batch, rng, workspace.nested(f"{i}"))
        return batch


def as_augmentation(value: object) -> Augmentation:
    """Return the value of the hyperparameter `augmentation` as a single object.

    Raises
    ------
    TypeError
        If it is neither an augmentation nor a list.
    """
    if isinstance(value, Augmentation):
        return value
    if is_list(value):
        return Compose(value)
    if isinstance(value, type) and issubclass(value, Augmentation):
        raise TypeError(
            f"augmentation is the class {value.__name__}; pass an instance of it, "
            f"{value.__name__}(...)."
        )
    if isinstance(value, Versions):
        raise TypeError(
            f"augmentation={value!r} draws nothing at random: it is a value of "
            "predict_augmentation. Use Flip and Shift to train on such versions."
        )
    raise TypeError(
        "augmentation must be an object of skconvnet.augmentation such as Shift(2), a "
        f"list of them, or None; got {value!r}."
    )


def _check_steps(steps: object) -> list[tuple[str, Augmentation]]:
    if isinstance(steps, Augmentation) or not is_sequence(steps):
        raise TypeError(
            "steps must be a list of augmentations or of (name, augmentation) tuples, "
            f"such as [Shift(2), ('mirror', Flip())]; got {steps!r}."
        )
    check_length("steps", steps)
    named = name_layers(steps)
    counts = Counter(name for name, _ in named)
    for position, (name, step) in enumerate(named):
        where = f"steps[{position}]"
        if not isinstance(name, str) or not name or "__" in name or name == "steps":
            raise ValueError(
                f"{where} is named {name!r}; a name must be a non-empty str without "
                "'__', other than 'steps'."
            )
        if counts[name] > 1:
            raise ValueError(
                f"steps has {counts[name]} augmentations named {name!r}; names must be "
                f"unique, for example {name}_1 and {name}_2."
            )
        if isinstance(step, type) and issubclass(step, Augmentation):
            raise TypeError(
                f"{where} ({name!r}) is the class {step.__name__}; pass an instance of "
                f"it, {step.__name__}(...)."
            )
        is_none = isinstance(step, str) and step == PASSTHROUGH
        if not is_none and not isinstance(step, Augmentation):
            raise TypeError(
                f"{where} ({name!r}) must be an augmentation of "
                "skconvnet.augmentation, a (name, augmentation) tuple or "
                f"{PASSTHROUGH!r}; got {step!r}."
            )
    return [(name, step) for name, step in named if isinstance(step, Augmentation)]
