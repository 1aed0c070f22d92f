"""Measure training on small images first, at equal epochs and in equal time.

    python benchmarks/recipes_sizes.py --data cifar10-small.npz [--train 4000]
                                       [--epochs 12] [--seeds 0 1 2]

The network of `recipes_augmentation.py` is trained on photographs of the full size, and
with `ProgressiveResizing`: for as many epochs, and for more of them, which take about
as long as the epochs of the full size. Accuracies are those of training images that are
held out, in percent, with the standard error of the mean over the seeds; seconds are
CPU times of all threads together.

A file given with --data has arrays X_train, y_train, X_test and y_test, images of any
size and number of channels.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from _machine import print_machine
from recipes_augmentation import in_percent, measure, parse, print_head, split

from skconvnet.augmentation import Augmentation, Flip, ProgressiveResizing

RESIZED = {
    f"from {smallest:g}, {stages} stages": ProgressiveResizing(smallest, stages)
    for smallest in (0.5, 0.75)
    for stages in (2, 3)
}


def share_of_pixels(augmentation: ProgressiveResizing) -> float:
    """Return how many pixels the images have on average, as a share of all.

    >>> share_of_pixels(ProgressiveResizing(0.5, stages=2))
    0.625
    """
    factors = np.linspace(augmentation.smallest, 1.0, augmentation.stages)
    return float(np.mean(factors**2))


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    args = parse(argv, __doc__, n_epochs=12)
    training, held_out, _ = split(args)
    print_machine()
    print(
        f"training {training.X.shape}, held out {held_out.X.shape}, seeds {args.seeds}"
    )

    def compare(name: str, augmentation: list[Augmentation], epochs: int) -> None:
        own = argparse.Namespace(**{**vars(args), "epochs": epochs})
        measured = measure(augmentation, training, held_out, own)
        accuracy = in_percent(measured.accuracies)
        print(f"| {name} | {epochs} | {accuracy} | {measured.seconds:.0f} |")

    print_head("size", "epochs", "held out", "CPU seconds of a fit")
    compare("full", [Flip()], args.epochs)
    compare("full", [Flip()], round(1.5 * args.epochs))
    for name, resizing in RESIZED.items():
        longer = round(args.epochs / share_of_pixels(resizing))
        for epochs in (args.epochs, longer):
            compare(name, [Flip(), resizing], epochs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
