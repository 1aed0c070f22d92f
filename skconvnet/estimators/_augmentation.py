"""Building an augmenter from the hyperparameter `augmentation`."""

from __future__ import annotations

from skconvnet.augmentation.base import Augmenter
from skconvnet.augmentation.compose import as_augmentation
from skconvnet.augmentation.several_sizes import build_for_shapes
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network


def make_augmenter(
    augmentation: object, samples: Samples, network: Network, update_size: int
) -> Augmenter | None:
    """Return the augmenter of the training samples, or None if nothing changes them.

    Parameters
    ----------
    augmentation : Augmentation, list or None
        The hyperparameter, as the user set it.
    samples : Samples
    network : Network
    update_size : int
        Number of samples in an update.

    Raises
    ------
    TypeError, ValueError
        If it does not fit the samples, or if it mixes samples but only one goes through
        the network at once.
    """
    if augmentation is None:
        return None
    try:
        augmenter = build_for_shapes(
            as_augmentation(augmentation), samples.inputs.shapes
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"augmentation: {error}") from error
    if augmenter is not None and augmenter.mixes_targets:
        _check_mixable(augmentation, network, update_size)
    return augmenter


def _check_mixable(augmentation: object, network: Network, update_size: int) -> None:
    """Raise an error unless at least two samples go through the network at once."""
    if min(update_size, network.micro_batch_size(update_size)) < 2:
        raise ValueError(
            f"augmentation={augmentation!r} mixes samples that go through the network "
            f"at once, which here is only 1: an update has {update_size} sample(s), of "
            f"shape {network.in_shape}. Give a larger batch_size, leave batch_mode at "
            "'mbgd', or leave out Mixup."
        )
