"""Values that parameters have in Keras and PyTorch."""

from __future__ import annotations

from collections.abc import Mapping

from skconvnet._foreign_words.words import NO_GPU, NUMBER, Words

_OUTPUT_LAYER = (
    "The output layer and its softmax are added from y: leave this layer out, or "
    "choose another activation."
)

SOLVERS: Words = {
    "l-bfgs": "lbfgs",
    "bfgs": "lbfgs",
    "lbfgsb": "lbfgs",
    "gd": "sgd",
    "momentum": "Use solver='sgd' and set momentum.",
    "nesterov": "Use solver='sgd' and nesterovs_momentum=True.",
    "nag": "Use solver='sgd' and nesterovs_momentum=True.",
    "amsgrad": "Use solver=Adam(amsgrad=True).",
    "schedule_free": "schedule_free_adamw",
    "AdamWScheduleFree": "schedule_free_adamw",
    "radam": "adam",
    "liblinear": "lbfgs",
    "saga": "sgd",
}

ACTIVATIONS: Words = {
    NUMBER: "The number of inputs is inferred: units or filters come first.",
    "softmax": _OUTPUT_LAYER,
    "log_softmax": _OUTPUT_LAYER,
    "sigmoid": "logistic",
    "expit": "logistic",
    "swish": "silu",
    "linear": "identity",
    "none": "identity",
    "leaky": "leaky_relu",
    "lrelu": "leaky_relu",
    "prelu": "Put the layer PReLU() after this one.",
    "rrelu": "Put the layer RReLU() after this one.",
    "rectifier": "relu",
    "rectify": "relu",
    "relu6": "relu",
    "hardswish": "silu",
    "heaviside": "step",
    "mish": "silu",
    "softsign": "tanh",
    "celu": "elu",
}

_CROSS_ENTROPY = ("log_loss", "For classes, use a classifier with loss='log_loss'.")
_MEAN_SQUARE = "squared_error"
_MEAN_ABSOLUTE = ("absolute_error", "For numbers, use a regressor.")

_HUBER = ("huber", "For numbers, use a regressor with loss='huber'.")
_QUANTILE = ("quantile", "For numbers, use a regressor with loss='quantile'.")
_POISSON = ("poisson", "For numbers, use a regressor with loss='poisson'.")
_HINGE = ("hinge", "For classes, use a classifier with loss='hinge'.")

LOSSES: Words = {
    "mse": _MEAN_SQUARE,
    "l2": _MEAN_SQUARE,
    "MSELoss": _MEAN_SQUARE,
    "mean_squared_error": _MEAN_SQUARE,
    "rmse": _MEAN_SQUARE,
    "brier": _MEAN_SQUARE,
    "mae": _MEAN_ABSOLUTE,
    "l1": _MEAN_ABSOLUTE,
    "L1Loss": _MEAN_ABSOLUTE,
    "mean_absolute_error": _MEAN_ABSOLUTE,
    "smooth_l1": _HUBER,
    "SmoothL1Loss": _HUBER,
    "HuberLoss": _HUBER,
    "log_cosh": _HUBER,
    "pinball": _QUANTILE,
    "PoissonNLLLoss": _POISSON,
    "categorical_crossentropy": _CROSS_ENTROPY,
    "sparse_categorical_crossentropy": _CROSS_ENTROPY,
    "binary_crossentropy": _CROSS_ENTROPY,
    "cross_entropy": _CROSS_ENTROPY,
    "CrossEntropyLoss": _CROSS_ENTROPY,
    "ce": _CROSS_ENTROPY,
    "nll": _CROSS_ENTROPY,
    "NLLLoss": _CROSS_ENTROPY,
    "log": _CROSS_ENTROPY,
    "logistic": _CROSS_ENTROPY,
    "deviance": _CROSS_ENTROPY,
    "bce": _CROSS_ENTROPY,
    "BCELoss": _CROSS_ENTROPY,
    "BCEWithLogitsLoss": _CROSS_ENTROPY,
    "softmax": _CROSS_ENTROPY,
    "kl_divergence": _CROSS_ENTROPY,
    "focal": "Use loss='log_loss' and class_weight='balanced'.",
    "svm": _HINGE,
    "MultiMarginLoss": _HINGE,
    "HingeEmbeddingLoss": _HINGE,
    "categorical_hinge": _HINGE,
}

INITIALIZERS: Words = {
    "he": "he_normal",
    "kaiming": "he_normal",
    "kaiming_uniform": "he_uniform",
    "kaiming_normal": "he_normal",
    "xavier": "glorot_uniform",
    "xavier_uniform": "glorot_uniform",
    "xavier_normal": "glorot_normal",
    "glorot": "glorot_uniform",
    "lecun": "lecun_normal",
    "gaussian": "normal",
    "random_normal": "normal",
    "truncated_normal": "normal",
    "uniform": "glorot_uniform",
    "random_uniform": "glorot_uniform",
    "variance_scaling": "he_normal",
    "default": "auto",
    "zero": "zeros",
    "one": "ones",
    "ortho": "orthogonal",
}

SCHEDULES: Words = {
    NUMBER: (
        "learning_rate is the schedule, which starts from learning_rate_init: set "
        "learning_rate_init={value}."
    ),
    "cosine_annealing": "cosine",
    "CosineDecay": "cosine",
    "CosineAnnealingLR": "cosine",
    "CosineAnnealingWarmRestarts": "cosine",
    "cosine_restarts": "cosine",
    "StepLR": "step",
    "step_decay": "step",
    "MultiStepLR": "step",
    "piecewise": "step",
    "PiecewiseConstantDecay": "step",
    "ExponentialLR": "exponential",
    "exp": "exponential",
    "ExponentialDecay": "exponential",
    "PolynomialLR": "polynomial",
    "PolynomialDecay": "polynomial",
    "poly": "polynomial",
    "linear": "polynomial",
    "LinearLR": "polynomial",
    "OneCycleLR": "one_cycle",
    "ReduceLROnPlateau": "plateau",
    "reduce_on_plateau": "plateau",
    "inverse_scaling": "invscaling",
    "InverseTimeDecay": "invscaling",
    "none": "constant",
    "fixed": "constant",
}

_PADDED_WITH = (
    "Padding is with zeros; padding says how many: 'same', 'valid' or an int."
)

PADDINGS: Words = {
    "zeros": _PADDED_WITH,
    "zero": _PADDED_WITH,
    "constant": _PADDED_WITH,
    "reflect": _PADDED_WITH,
    "replicate": _PADDED_WITH,
    "circular": _PADDED_WITH,
    "none": "valid",
    "half": "same",
    "causal": "Pass a (before, after) pair: padding=[(2, 0)] for kernel_size=3.",
}

POOLINGS: Words = {
    "average": "avg",
    "mean": "avg",
    "maximum": "max",
    "MaxPool2D": "max",
    "MaxPooling2D": "max",
    "AvgPool2D": "avg",
    "AveragePooling2D": "avg",
    "none": "For no pooling, use None.",
    "no": "For no pooling, use None.",
    "false": "For no pooling, use None.",
    "global": "Set global_pooling='avg' or global_pooling='max'.",
}

BATCH_MODES: Words = {
    "minibatch": "mbgd",
    "batch": "bgd",
    "full": "bgd",
    "online": "sgd",
    "stochastic": "sgd",
}

BATCH_SIZES: Words = {
    "full": "Set batch_mode='bgd'.",
    "all": "Set batch_mode='bgd'.",
    "none": "Leave batch_size at 'auto', or set batch_mode='bgd' for full batches.",
}

STOPPINGS: Words = {
    "EarlyStopping": "Set early_stopping=True; n_iter_no_change is the patience.",
    NUMBER: "Set early_stopping=True and n_iter_no_change={value}.",
}

DEVICES: Words = {"cuda": NO_GPU, "gpu": NO_GPU}

DTYPES: Words = {
    "float": "float32",
    "double": "float64",
    "float16": "float32",
    "half": "float32",
    "bfloat16": "float32",
}

# By the name of the parameter whose value it is.
VALUES: Mapping[str, Words] = {
    "solver": SOLVERS,
    "activation": ACTIVATIONS,
    "function": ACTIVATIONS,
    "loss": LOSSES,
    "kernel_initializer": INITIALIZERS,
    "learning_rate": SCHEDULES,
    "padding": PADDINGS,
    "pooling": POOLINGS,
    "global_pooling": POOLINGS,
    "batch_mode": BATCH_MODES,
    "batch_size": BATCH_SIZES,
    "early_stopping": STOPPINGS,
    "dtype": DTYPES,
    "n_jobs": DEVICES,
}
