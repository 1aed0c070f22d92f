"""What names of Keras and PyTorch are called here.

Each table belongs to one kind of name, and maps a foreign word to advice: our name for
it, or a sentence if there is none. A tuple holds several, of which the first that the
object at hand has is given. Upper and lower case, ``_`` and ``-`` make no difference.
In a sentence, ``{value}`` stands for what the user passed.

Foreign words are never accepted as aliases, since `get_params` and `clone` have to hold
what the user passed. `skconvnet._suggestions` puts the advice into error messages, and
docs/coming_from_skorch_and_keras.md lists those that have a name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Advice: TypeAlias = str | tuple[str, ...]
Words: TypeAlias = Mapping[str, Advice]

# Stands for any number in the tables of values.
NUMBER = "<number>"

_OUTPUT_LAYER = (
    "The output layer and its softmax are added from y: leave this layer out, or "
    "choose another activation."
)
_NO_GPU = "Computation is on the CPU; set n_jobs for the number of threads."
_NO_CALLBACKS = (
    "There are no callbacks: use early_stopping=True, learning_rate for a schedule, or "
    "partial_fit for a loop of your own."
)
_NO_METRICS = "Use scoring, such as scoring='f1_macro', for the validation set."
_INFERRED = "The shape of its input is inferred: leave it out."
_SHAPE_OF_X = "The number of inputs is taken from X: leave it out."
_OF_ESTIMATOR = "The learning rate belongs to the estimator: set learning_rate_init."
_CHANNELS_LAST = "Channels come last: leave it out."
_NAME = "Name a layer in the list of layers: ('name', layer)."
_BIAS = "Layers always have a bias: leave it out."
_PENALTY = "The penalty belongs to the estimator: set alpha."
_VALIDATION = "Pass a validation set to fit as X_val=..., y_val=...."

ESTIMATOR_PARAMETERS: Words = {
    "lr": "learning_rate_init",
    "eta": "learning_rate_init",
    "eta0": "learning_rate_init",
    "init_lr": "learning_rate_init",
    "base_lr": "learning_rate_init",
    "step_size": "learning_rate_init",
    "lr_scheduler": "learning_rate",
    "lr_schedule": "learning_rate",
    "scheduler": "learning_rate",
    "schedule": "learning_rate",
    "epochs": "max_iter",
    "n_epochs": "max_iter",
    "nb_epoch": "max_iter",
    "nb_epochs": "max_iter",
    "num_epochs": "max_iter",
    "max_epochs": "max_iter",
    "epoch": "max_iter",
    "iterations": "max_iter",
    "n_iter": "max_iter",
    "num_iter": "max_iter",
    "optimizer": "solver",
    "optim": "solver",
    "optimiser": "solver",
    "algorithm": "solver",
    "criterion": "loss",
    "loss_fn": "loss",
    "loss_function": "loss",
    "objective": "loss",
    "weight_decay": "alpha",
    "l2": "alpha",
    "l2_reg": "alpha",
    "l2_penalty": "alpha",
    "reg": "alpha",
    "regularization": "alpha",
    "kernel_regularizer": "alpha",
    "l1": "Set alpha to its strength, and l1_ratio=1.",
    "C": "Set alpha, which is larger for more regularization.",
    "batch": "batch_size",
    "bs": "batch_size",
    "minibatch_size": "batch_size",
    "seed": "random_state",
    "random_seed": "random_state",
    "rng": "random_state",
    "validation_split": (
        "Set early_stopping=True and validation_fraction={value}, or pass X_val and "
        "y_val to fit."
    ),
    "val_split": (
        "Set early_stopping=True and validation_fraction={value}, or pass X_val and "
        "y_val to fit."
    ),
    "train_split": "Set early_stopping=True, or pass X_val and y_val to fit.",
    "validation_data": _VALIDATION,
    "validation_set": _VALIDATION,
    "eval_set": _VALIDATION,
    "patience": "n_iter_no_change",
    "min_delta": "tol",
    "clipnorm": "max_grad_norm",
    "gradient_clip_val": "max_grad_norm",
    "grad_clip": "max_grad_norm",
    "clipvalue": "max_grad_value",
    "ema": "averaging",
    "use_ema": "Set averaging=0.99, the decay rate.",
    "swa": "Set averaging='swa'.",
    "metrics": _NO_METRICS,
    "metric": _NO_METRICS,
    "callbacks": _NO_CALLBACKS,
    "callback": _NO_CALLBACKS,
    "device": _NO_GPU,
    "gpu": _NO_GPU,
    "use_gpu": _NO_GPU,
    "cuda": _NO_GPU,
    "num_workers": "n_jobs",
    "workers": "n_jobs",
    "n_threads": "n_jobs",
    "num_threads": "n_jobs",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "betas": "Set beta_1 and beta_2.",
    "eps": "epsilon",
    "nesterov": "nesterovs_momentum",
    "precision": "dtype",
    "nb_filters": ("filters", "Set filters of a Conv2D in layers."),
    "nb_filter": ("filters", "Set filters of a Conv2D in layers."),
    "n_filters": ("filters", "Set filters of a Conv2D in layers."),
    "num_filters": ("filters", "Set filters of a Conv2D in layers."),
    "channels": ("filters", "Set filters of a Conv2D in layers."),
    "out_channels": ("filters", "Set filters of a Conv2D in layers."),
    "conv_filters": ("filters", "Set filters of a Conv2D in layers."),
    "stride": "strides",
    "kernel": "kernel_size",
    "kernels": "kernel_size",
    "filter_size": "kernel_size",
    "dilation_rate": "dilation",
    "pool": "pooling",
    "units": ("hidden_layer_sizes", "Set units of a Dense in layers."),
    "n_units": ("hidden_layer_sizes", "Set units of a Dense in layers."),
    "hidden_units": ("hidden_layer_sizes", "Set units of a Dense in layers."),
    "hidden_size": ("hidden_layer_sizes", "Set units of a Dense in layers."),
    "hidden_sizes": ("hidden_layer_sizes", "Set units of a Dense in layers."),
    "hidden_dims": ("hidden_layer_sizes", "Set units of a Dense in layers."),
    "hidden_layers": ("hidden_layer_sizes", "layers"),
    "dense_units": ("hidden_layer_sizes", "Set units of a Dense in layers."),
    "neurons": ("hidden_layer_sizes", "Set units of a Dense in layers."),
    "activation_function": ("activation", "Set activation of each layer in layers."),
    "nonlinearity": ("activation", "Set activation of each layer in layers."),
    "activations": ("activation", "Set activation of each layer in layers."),
    "dropout_rate": ("dropout", "Add Dropout({value}) to layers."),
    "drop_rate": ("dropout", "Add Dropout({value}) to layers."),
    "p_dropout": ("dropout", "Add Dropout({value}) to layers."),
    "batch_normalization": ("batch_norm", "Add BatchNorm() to layers."),
    "use_batch_norm": ("batch_norm", "Add BatchNorm() to layers."),
    "batchnorm": ("batch_norm", "Add BatchNorm() to layers."),
    "initializer": "kernel_initializer",
    "init": "kernel_initializer",
    "weight_init": "kernel_initializer",
    "input_dim": ("input_shape", _SHAPE_OF_X),
    "dim_ordering": "data_format",
    "channels_first": "Set data_format='channels_first'.",
    "channels_last": "Set data_format='channels_last'.",
    "normalize": ("rescale", "Begin layers with Standardize()."),
    "standardize": ("rescale", "Begin layers with Standardize()."),
    "scale": ("rescale", "Begin layers with Standardize()."),
    "image_shape": "input_shape",
    "img_shape": "input_shape",
    "in_shape": "input_shape",
    "image_size": "input_shape",
    "in_channels": _SHAPE_OF_X,
    "n_features": _SHAPE_OF_X,
    "in_features": _SHAPE_OF_X,
    "num_classes": "The number of classes is taken from y: leave it out.",
    "n_classes": "The number of classes is taken from y: leave it out.",
    "nb_classes": "The number of classes is taken from y: leave it out.",
    "n_outputs": "The number of outputs is taken from y: leave it out.",
    "output_dim": "The number of outputs is taken from y: leave it out.",
    "out_features": "The number of outputs is taken from y: leave it out.",
    "output_activation": "The activation of the outputs follows from loss.",
    "out_activation": "The activation of the outputs follows from loss.",
    "data_augmentation": "augmentation",
    "augment": "augmentation",
    "transforms": "augmentation",
    "transform": "augmentation",
    "module": ("layers", "This estimator builds its network itself: leave it out."),
    "model": ("layers", "This estimator builds its network itself: leave it out."),
    "build_fn": ("layers", "This estimator builds its network itself: leave it out."),
    "network": ("layers", "This estimator builds its network itself: leave it out."),
    "class_weights": "class_weight",
    "sample_weight": "Pass sample_weight to fit.",
    "X_val": _VALIDATION,
    "y_val": _VALIDATION,
}

# Arguments of fit and partial_fit. All parameters of the estimator are known as well.
FIT_ARGUMENTS: Words = {
    "x": "X",
    "data": "X",
    "target": "y",
    "targets": "y",
    "labels": "y",
    "sample_weights": "sample_weight",
    "weights": "sample_weight",
    "weight": "sample_weight",
    "validation_data": "Pass X_val=..., y_val=....",
    "validation_set": "Pass X_val=..., y_val=....",
    "eval_set": "Pass X_val=..., y_val=....",
    "x_valid": "X_val",
    "y_valid": "y_val",
    "x_test": "X_val",
    "y_test": "y_val",
    "steps_per_epoch": "An epoch is one pass over X; pass fewer samples, or batch_size "
    "in the constructor.",
    "initial_epoch": "Set warm_start=True to continue from the last weights.",
}

LAYER_PARAMETERS: Words = {
    "stride": "strides",
    "subsample": "strides",
    "kernel": "kernel_size",
    "filter_size": "kernel_size",
    "window": ("kernel_size", "pool_size"),
    "kernel_size": "pool_size",
    "pool": "pool_size",
    "size": ("pool_size", "units"),
    "out_channels": "filters",
    "nb_filter": "filters",
    "nb_filters": "filters",
    "n_filters": "filters",
    "num_filters": "filters",
    "channels": "filters",
    "in_channels": _INFERRED,
    "in_features": _INFERRED,
    "num_features": _INFERRED,
    "normalized_shape": _INFERRED,
    "input_dim": ("n_tokens", _INFERRED),
    "input_shape": _INFERRED,
    "batch_input_shape": _INFERRED,
    "out_features": "units",
    "n_units": "units",
    "num_units": "units",
    "n_hidden": "units",
    "neurons": "units",
    "output_dim": ("n_dims", "units"),
    "num_embeddings": "n_tokens",
    "vocab_size": "n_tokens",
    "embedding_dim": "n_dims",
    "padding_idx": "padding_token",
    "p": "rate",
    "prob": "rate",
    "keep_prob": "Set rate, the fraction that is dropped: 1 - keep_prob.",
    "dropout": "rate",
    "sigma": "stddev",
    "std": "stddev",
    "act": "activation",
    "nonlinearity": "activation",
    "activation_fn": "activation",
    "activation": "function",
    "init": "kernel_initializer",
    "initializer": "kernel_initializer",
    "weight_init": "kernel_initializer",
    "kernel_init": "kernel_initializer",
    "depthwise_initializer": "kernel_initializer",
    "bias": _BIAS,
    "use_bias": _BIAS,
    "bias_initializer": "Biases start at zero: leave it out.",
    "kernel_regularizer": _PENALTY,
    "bias_regularizer": "Biases are not penalized: leave it out.",
    "activity_regularizer": "There is no penalty on activations: leave it out.",
    "W_regularizer": _PENALTY,
    "weight_decay": _PENALTY,
    "kernel_constraint": "Weights have no constraints: leave it out.",
    "dilation_rate": "dilation",
    "border_mode": "padding",
    "pad": "padding",
    "padding_mode": "Padding is with zeros: leave it out.",
    "eps": "epsilon",
    "affine": "Scale and shift are always learned: leave it out.",
    "center": "Scale and shift are always learned: leave it out.",
    "data_format": _CHANNELS_LAST,
    "dim_ordering": _CHANNELS_LAST,
    "name": _NAME,
    "trainable": "All layers are trained: leave it out.",
    "device": _NO_GPU,
    "dtype": "The dtype belongs to the estimator: set dtype there.",
    "seed": "Randomness belongs to the estimator: set random_state there.",
    "scale_factor": "size",
    "interpolation": "mode",
    "target_shape": "shape",
    "layer": "layers",
    "output_size": "levels",
}

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
    "alpha": ("rho", _PENALTY),
    "decay": "The schedule belongs to the estimator: set learning_rate.",
    "weight_decay": "Use AdamW(weight_decay={value}), or set alpha of the estimator.",
    "l2": _PENALTY,
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
    "seed": "Randomness belongs to the estimator: set random_state there.",
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
    "seed": "Randomness belongs to the estimator: set random_state there.",
}

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

DEVICES: Words = {"cuda": _NO_GPU, "gpu": _NO_GPU}

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

_MANY = {1: "1D", 2: "2D", 3: "3D"}

_RECURRENT = ("LSTM", "GRU", "RNN", "SimpleRNN", "LSTMCell", "Bidirectional")
_NO_RECURRENCE = "There are no recurrent layers; use Conv1D and GlobalMaxPool."
_ATTENTION = ("Attention", "MultiHeadAttention", "Transformer")
_RANDOM = (
    "RandomFlip",
    "RandomRotation",
    "RandomZoom",
    "RandomCrop",
    "RandomTranslation",
    "RandomContrast",
    "RandomBrightness",
)

LAYERS: Words = {
    "Conv": ("Conv2D",),
    **{f"Convolution{axes}": f"Conv{axes}" for axes in _MANY.values()},
    **{f"ConvTranspose{n}d": f"Conv{axes}Transpose" for n, axes in _MANY.items()},
    **{f"Deconv{axes}": f"Conv{axes}Transpose" for axes in _MANY.values()},
    **{f"MaxPooling{axes}": f"MaxPool{axes}" for axes in _MANY.values()},
    **{f"AveragePooling{axes}": f"AvgPool{axes}" for axes in _MANY.values()},
    **{f"GlobalAveragePooling{axes}": "GlobalAvgPool" for axes in _MANY.values()},
    **{f"GlobalMaxPooling{axes}": "GlobalMaxPool" for axes in _MANY.values()},
    **{f"GlobalAvgPool{axes}": "GlobalAvgPool" for axes in _MANY.values()},
    **{f"GlobalMaxPool{axes}": "GlobalMaxPool" for axes in _MANY.values()},
    **{f"AdaptiveAvgPool{axes}": "GlobalAvgPool" for axes in _MANY.values()},
    **{f"AdaptiveMaxPool{axes}": "GlobalMaxPool" for axes in _MANY.values()},
    **{f"BatchNorm{axes}": "BatchNorm" for axes in _MANY.values()},
    **{f"SpatialDropout{axes}": "SpatialDropout" for axes in _MANY.values()},
    **{f"Dropout{axes}": "SpatialDropout" for axes in _MANY.values()},
    **{f"UpSampling{axes}": "Upsample" for axes in _MANY.values()},
    **{
        f"ZeroPadding{axes}": "Set padding of the convolution that follows."
        for axes in _MANY.values()
    },
    "MaxPool": "MaxPool2D",
    "MaxPooling": "MaxPool2D",
    "AvgPool": "AvgPool2D",
    "AveragePooling": "AvgPool2D",
    "Pooling": "MaxPool2D",
    "GlobalAveragePooling": "GlobalAvgPool",
    "GlobalMaxPooling": "GlobalMaxPool",
    "GlobalPooling": "GlobalAvgPool",
    "Linear": "Dense",
    "LazyLinear": "Dense",
    "FullyConnected": "Dense",
    "Output": "The output layer is added from y: leave it out.",
    "BatchNormalization": "BatchNorm",
    "LayerNormalization": "LayerNorm",
    "GroupNorm": "LayerNorm",
    "InstanceNorm2d": "LayerNorm",
    "Normalization": "Standardize",
    "Normalize": "Standardize",
    "Scale": "Rescaling",
    "SeparableConv": "SeparableConv2D",
    "DepthwiseConv": "DepthwiseConv2D",
    "LocallyConnected": "LocallyConnected2D",
    "EmbeddingBag": "Embedding",
    "View": "Reshape",
    "Add": "Residual",
    "Concatenate": "Parallel",
    "Inception": "Parallel",
    "Interpolate": "Upsample",
    "AlphaDropout": "Dropout",
    "ReLU": 'Activation("relu")',
    "LeakyReLU": 'Activation("leaky_relu")',
    "ELU": 'Activation("elu")',
    "SELU": 'Activation("selu")',
    "GELU": 'Activation("gelu")',
    "SiLU": 'Activation("silu")',
    "Swish": 'Activation("silu")',
    "Tanh": 'Activation("tanh")',
    "Sigmoid": 'Activation("logistic")',
    "Softplus": 'Activation("softplus")',
    "Softmax": "The output layer and its softmax are added from y: leave it out.",
    "LogSoftmax": "The output layer and its softmax are added from y: leave it out.",
    "Input": "The shape is taken from X: leave it out, or set input_shape.",
    "InputLayer": "The shape is taken from X: leave it out, or set input_shape.",
    "Sequential": "Pass a list of layers to SequentialClassifier.",
    "Model": "Pass a list of layers to SequentialClassifier.",
    "Module": "Pass a list of layers to SequentialClassifier.",
    "Lambda": "Derive a layer from LayerSpec, as CONTRIBUTING.md describes.",
    "TimeDistributed": "Use a Conv1D with kernel_size=1.",
    **dict.fromkeys(_RECURRENT, _NO_RECURRENCE),
    **dict.fromkeys(_ATTENTION, "There is no attention; use Conv1D and GlobalMaxPool."),
    **dict.fromkeys(
        _RANDOM, "Augmentation belongs to the estimator: set augmentation."
    ),
}

OPTIMIZER_CLASSES: Words = {
    "Momentum": "SGD",
    "RAdam": "Adam",
    "SGDW": "SGD",
    "AMSGrad": "Use Adam(amsgrad=True).",
    "AdamWScheduleFree": "ScheduleFreeAdamW",
}

SCHEDULE_CLASSES: Words = {
    "CosineAnnealingLR": "Cosine",
    "CosineAnnealing": "Cosine",
    "CosineDecay": "Cosine",
    "CosineAnnealingWarmRestarts": "Cosine",
    "StepLR": "StepDecay",
    "Step": "StepDecay",
    "MultiStepLR": "StepDecay",
    "PiecewiseConstantDecay": "StepDecay",
    "ExponentialLR": "Exponential",
    "ExponentialDecay": "Exponential",
    "PolynomialLR": "Polynomial",
    "PolynomialDecay": "Polynomial",
    "Linear": "Polynomial",
    "OneCycleLR": "OneCycle",
    "ReduceLROnPlateau": "ReduceOnPlateau",
    "Plateau": "ReduceOnPlateau",
    "InverseTimeDecay": "InverseScaling",
}

LOSS_CLASSES: Words = {
    "MSELoss": "SquaredError",
    "MSE": "SquaredError",
    "MeanSquaredError": "SquaredError",
    "L1Loss": "AbsoluteError",
    "MAE": "AbsoluteError",
    "MeanAbsoluteError": "AbsoluteError",
    "CrossEntropyLoss": "LogLoss",
    "CrossEntropy": "LogLoss",
    "CategoricalCrossentropy": "LogLoss",
    "SparseCategoricalCrossentropy": "LogLoss",
    "BinaryCrossentropy": "LogLoss",
    "BCELoss": "LogLoss",
    "BCEWithLogitsLoss": "LogLoss",
    "NLLLoss": "LogLoss",
    "HuberLoss": "Huber",
    "SmoothL1Loss": "Huber",
    "Pinball": "Quantile",
    "Poisson": "PoissonDeviance",
    "PoissonNLLLoss": "PoissonDeviance",
}

INITIALIZER_CLASSES: Words = {
    "XavierUniform": "GlorotUniform",
    "XavierNormal": "GlorotNormal",
    "KaimingUniform": "HeUniform",
    "KaimingNormal": "HeNormal",
    "RandomNormal": "Normal",
    "TruncatedNormal": "Normal",
    "Gaussian": "Normal",
    "Zeros": "Constant",
    "Ones": "Constant",
    "VarianceScaling": "HeNormal",
}

AUGMENTATION_CLASSES: Words = {
    "RandomFlip": "Flip",
    "RandomHorizontalFlip": "Flip",
    "HorizontalFlip": "Flip",
    "RandomVerticalFlip": "Use Flip(horizontal=False, vertical=True).",
    "RandomRotation": "Rotation",
    "Rotate": "Rotation",
    "RandomZoom": "Scaling",
    "Zoom": "Scaling",
    "RandomCrop": "Crop",
    "RandomTranslation": "Shift",
    "Translate": "Shift",
    "RandomAffine": "Affine",
    "RandomBrightness": "Brightness",
    "RandomContrast": "Contrast",
    "ColorJitter": "Use [Brightness(), Contrast()].",
    "RandomErasing": "Cutout",
    "ElasticTransform": "Elastic",
    "Sequential": "Compose",
    "MixUp": "Mixup",
}

ESTIMATORS: Words = {
    "CNN": "ConvNetClassifier",
    "CNNClassifier": "ConvNetClassifier",
    "CNNRegressor": "ConvNetRegressor",
    "ConvNet": "ConvNetClassifier",
    "Sequential": "SequentialClassifier",
    "MLP": "MLPClassifier",
    "NeuralNetClassifier": "SequentialClassifier",
    "NeuralNetRegressor": "SequentialRegressor",
    "KerasClassifier": "SequentialClassifier",
    "KerasRegressor": "SequentialRegressor",
}

# Methods and attributes of models.
METHODS: Words = {
    "compile": "Set solver, loss and scoring in the constructor.",
    "evaluate": "score",
    "history": "loss_curve_",
    "history_": "loss_curve_",
    "save": "Use joblib.dump(model, path).",
    "save_model": "Use joblib.dump(model, path).",
    "save_weights": "Use joblib.dump(model, path), or get_weights.",
    "load_weights": "Use joblib.load(path), or set_weights.",
    "state_dict": "get_weights",
    "load_state_dict": "set_weights",
    "predict_classes": "predict",
    "fit_generator": "partial_fit",
    "train_on_batch": "partial_fit",
    "forward": "predict",
    "module_": "network_",
    "model_": "network_",
    "named_parameters": "get_weights",
    "parameters": "Use get_weights for weights, or get_params for hyperparameters.",
    "to": _NO_GPU,
    "cuda": _NO_GPU,
    "eval": "Dropout is off in predict; there are no modes to switch.",
    "train": "fit",
    "add": "Pass the list of layers to the constructor.",
}
