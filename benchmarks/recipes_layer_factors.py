"""Measure factors of layers, and smoothed labels, as fast recipes have them.

    python benchmarks/recipes_layer_factors.py --data cifar10-small.npz [--train 4000]
                                               [--epochs 12] [--seeds 0 1 2]

The network of `recipes_augmentation.py` is trained on photographs with random flips:
with larger learning rates for the shifts of its batch normalizations, with a weight
decay for all weights or for kernels alone, and with smoothed labels. Accuracies are
those of training images that are held out, in percent, with the standard error of the
mean over the seeds.

A file given with --data has arrays X_train, y_train, X_test and y_test, images of any
size and number of channels.
"""

from __future__ import annotations

import sys

from _machine import print_machine
from recipes_augmentation import (
    FILTERS,
    in_percent,
    measure,
    parse,
    print_head,
    split,
)

from skconvnet.augmentation import Flip
from skconvnet.losses import LogLoss
from skconvnet.optimizers import AdamW

# The names of the layers of `recipes_augmentation.make_model`.
_NUMBERS = range(1, len(FILTERS) + 1)
NORMS = [f"batchnorm_{number}" for number in _NUMBERS]
BIASES = [*(f"conv2d_{number}/bias" for number in _NUMBERS), "output/bias"]


def shifts_times(factor: float) -> dict[str, object]:
    """Return parameters for larger rates of the shifts of all normalizations."""
    return {"layer_learning_rates": {f"{norm}/beta": factor for norm in NORMS}}


DECAY = {"solver": AdamW(weight_decay=1.0), "alpha": 0.0}
KERNELS_ALONE = {"layer_alphas": dict.fromkeys([*NORMS, *BIASES], 0.0)}
CASES: dict[str, dict[str, object]] = {
    "Adam": {},
    "rates of shifts times 8": shifts_times(8.0),
    "rates of shifts times 64": shifts_times(64.0),
    "AdamW(weight_decay=1)": DECAY,
    "AdamW(weight_decay=1), kernels alone": {**DECAY, **KERNELS_ALONE},
    "label_smoothing=0.1": {"loss": LogLoss(label_smoothing=0.1)},
    "label_smoothing=0.2": {"loss": LogLoss(label_smoothing=0.2)},
}


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    args = parse(argv, __doc__, n_epochs=12)
    training, held_out, _ = split(args)
    print_machine()
    print(
        f"training {training.X.shape}, held out {held_out.X.shape}, {args.epochs} "
        f"epochs, seeds {args.seeds}"
    )
    print_head("change", "held out")
    for name, params in CASES.items():
        measured = measure([Flip()], training, held_out, args, **params)
        print(f"| {name} | {in_percent(measured.accuracies)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
