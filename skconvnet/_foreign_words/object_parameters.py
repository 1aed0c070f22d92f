"""Parameters of optimizers, schedules, losses, initializers and augmentations."""

from __future__ import annotations

from skconvnet._foreign_words.words import PENALTY, RANDOMNESS, Words

_OF_ESTIMATOR = "The learning rate belongs to the estimator: set learning_rate_init."

OPTIMIZER_PARAMETERS: Words = {
    "lr": _OF_ESTIMATOR,
    "learning_rate": _OF_ESTIMATOR,
    "learning_rate_init": _OF_ESTIMATOR,
    "eta": _OF_ESTIMATOR,
    "params": "The estimator passes its weights itself: leave it out.",
    "beta1": ("beta_1", "momentum"),
    "beta2": "beta_2",
    "betas": "Set beta_1 and beta_2.",
    "eps": "epsilon",
    "nesterovs_momentum": "nesterov",
    "alpha": ("rho", "share", PENALTY),
    "k": "every",
    "la_steps": "every",
    "la_alpha": "share",
    "sync_period": "every",
    "slow_step_size": "share",
    "base_optimizer": "optimizer",
    "ns_steps": "n_newton_schulz_steps",
    "adjust_lr_fn": "scaling",
    "decay": "The schedule belongs to the estimator: set learning_rate.",
    "weight_decay": "Use AdamW(weight_decay={value}), or set alpha of the estimator.",
    "l2": PENALTY,
    "clipnorm": "Gradient clipping belongs to the estimator: set max_grad_norm.",
    "clipvalue": "Gradient clipping belongs to the estimator: set max_grad_value.",
    "use_ema": "Averaging belongs to the estimator: set averaging=0.99.",
    "history_size": "history",
    "max_iter": "The number of epochs belongs to the estimator: set max_iter there.",
    "max_eval": "max_fun",
}

SCHEDULE_PARAMETERS: Words = {
    "lr": _OF_ESTIMATOR,
    "max_lr": _OF_ESTIMATOR,
    "learning_rate": _OF_ESTIMATOR,
    "initial_learning_rate": _OF_ESTIMATOR,
    "gamma": "factor",
    "decay_rate": "factor",
    "decay": "factor",
    "step_size": "every",
    "milestones": "every",
    "decay_steps": ("every", "period", "epochs"),
    "T_max": "period",
    "T_0": "period",
    "T_mult": "period_factor",
    "eta_min": "minimum",
    "min_lr": "minimum",
    "end_learning_rate": "minimum",
    "warmup": "warmup_epochs",
    "warmup_steps": "warmup_epochs",
    "pct_start": "warmup",
    "anneal_strategy": "anneal",
    "threshold": "tol",
    "min_delta": "tol",
    "optimizer": "The estimator applies the schedule to its solver: leave it out.",
    "last_epoch": "Training always starts at the first epoch: leave it out.",
}

LOSS_PARAMETERS: Words = {
    "from_logits": "The loss includes the output activation: leave it out.",
    "reduction": "The loss is the mean over the samples: leave it out.",
    "weight": "Set class_weight of the estimator, or pass sample_weight to fit.",
    "pos_weight": "Set class_weight of the estimator, or pass sample_weight to fit.",
    "smoothing": "label_smoothing",
    "alpha": "quantile",
    "tau": "quantile",
    "q": "quantile",
    "epsilon": "delta",
    "beta": "delta",
}

INITIALIZER_PARAMETERS: Words = {
    "stddev": "std",
    "sigma": "std",
    "mean": "The mean is always 0: leave it out.",
    "seed": RANDOMNESS,
    "val": "value",
}

AUGMENTATION_PARAMETERS: Words = {
    "p": ("probability", "Samples are always changed, by a random amount."),
    "angle": ("degrees", "rotation"),
    "max_angle": ("degrees", "rotation"),
    "scale": ("scaling", "factor"),
    "zoom_range": ("scaling", "factor"),
    "translate": ("shift", "fraction"),
    "pixels": "max_pixels",
    "fill_mode": "fill",
    "padding_mode": "fill",
    "cval": "fill_value",
    "length": "size",
    "max_factor": "factor",
    "seed": RANDOMNESS,
}
