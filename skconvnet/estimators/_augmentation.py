"""Building an augmenter from the hyperparameter `augmentation`."""

from __future__ import annotations

from skconvnet.augmentation.base import Augmenter
from skconvnet.augmentation.compose import as_augmentation
from skconvnet.augmentation.several_sizes import build_for_shapes
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.estimators._shape_words import size
from skconvnet.losses import Loss


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
    if augmenter is not None and augmenter.moves_positions:
        _check_same_positions(augmentation, network)
    if augmenter is not None:
        _check_sizes(augmentation, augmenter, network)
    return augmenter


def _check_sizes(augmentation: object, augmenter: Augmenter, network: Network) -> None:
    """Raise an error unless the network takes all sizes that samples will have."""
    for shape in sorted(augmenter.out_shapes):
        if shape == network.in_shape:
            continue
        if network.predicts_maps:
            raise ValueError(
                f"augmentation={augmentation!r} changes the size of samples, which "
                "needs one output per sample; here, outputs have positions. Leave it "
                "out."
            )
        try:
            network.for_shape(shape)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"augmentation={augmentation!r} makes samples of {size(shape[:-1])}, "
                f"which the network does not take: {error}"
            ) from error


def _check_same_positions(augmentation: object, network: Network) -> None:
    """Raise an error if targets have other positions than samples."""
    positions, targets = network.in_shape[:-1], network.chain.out_shape[:-1]
    if targets not in ((), positions):
        raise ValueError(
            f"augmentation={augmentation!r} moves the pixels of samples of "
            f"{size(positions)}, but cannot move their targets, which are of "
            f"{size(targets)}. Use augmentations that change values only, or give X "
            "and y the same size."
        )


def loss_with(loss: Loss, augmenter: Augmenter | None, network: Network) -> Loss:
    """Return the loss for the targets that an augmenter makes."""
    if augmenter is None:
        return loss
    if augmenter.mixes_targets:
        return loss.for_mixtures()
    if augmenter.interpolates and network.predicts_maps:
        try:
            return loss.for_mixtures()
        except ValueError as error:
            raise ValueError(
                f"loss={loss.name!r} cannot be used with an augmentation that "
                "interpolates the labels of positions. Use loss='log_loss', or Flip "
                "and Shift, which move whole pixels."
            ) from error
    return loss


def _check_mixable(augmentation: object, network: Network, update_size: int) -> None:
    """Raise an error unless at least two samples go through the network at once."""
    if min(update_size, network.micro_batch_size(update_size)) < 2:
        raise ValueError(
            f"augmentation={augmentation!r} mixes samples that go through the network "
            f"at once, which here is only 1: an update has {update_size} sample(s), of "
            f"shape {network.in_shape}. Give a larger batch_size, leave batch_mode at "
            "'mbgd', or leave out Mixup."
        )
