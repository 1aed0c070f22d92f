"""Docstrings of the parameters and attributes that several estimators share."""

from __future__ import annotations

from dataclasses import fields
from textwrap import indent
from typing import TypeVar

from skconvnet.estimators._help import (
    gather_methods,
    give_defaults,
    most_used_first,
    shorten_requests,
)

_T = TypeVar("_T", bound=type)

_PARTS = {
    "convnet": """\
filters : int or tuple of int, default=(32, 64)
    The number of output channels of the convolutions, one entry per block.
kernel_size : int or tuple, default=3
    The size of the convolution kernels. Here and below, a scalar is used for every
    block and a tuple gives one value per block, which may itself be a tuple with one
    value per spatial axis.
strides : int or tuple, default=1
    The strides of the first convolution of each block.
padding : {"valid", "same", "full"}, int, or tuple, default="same"
    The padding of the convolutions.
dilation : int or tuple, default=1
    The distance between the taps of a kernel.
conv_method : {"auto", "im2col", "winograd", "fft"} or tuple, default="auto"
    The algorithm that computes the convolutions, see `skconvnet.layers.Conv2D`.
pooling : {"max", "avg"}, None, or tuple, default="max"
    The pooling at the end of each block; None for no pooling.
pool_size : int or tuple, default=2
    The size and the strides of the pooling windows. If the image shape was guessed
    from rows, axes of length 1 are not pooled.
hidden_layer_sizes : int or tuple of int, default=(128,)
    The number of units of each dense layer between the last block and the output
    layer.
activation : str or tuple, default="relu"
    The activation function of the convolutions and the dense layers: "identity",
    "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu",
    "hard_swish", "mish", "softplus", "softsign", "hard_sigmoid" or "step" (only for
    weights that are set by hand). A tuple gives either one function per block, of which
    the last is also used for the dense layers, or one per block followed by one per
    dense layer.
kernel_initializer : str or Initializer, default="auto"
    The distribution of the initial kernels of all layers, the output layer included,
    see `skconvnet.layers.Conv2D` and `skconvnet.layers.Dense`.
dropout : float or tuple, default=0.0
    The fraction of values set to zero in training after each block and each dense
    layer. If a tuple has only one rate per block, nothing is dropped after the dense
    layers.
batch_norm : bool or tuple of bool, default=True
    Whether to insert a `skconvnet.layers.BatchNorm` between each convolution and its
    activation.
groups : int or tuple, default=1
    The number of groups into which the channels of a convolution are divided.
separable : bool or tuple of bool, default=False
    Whether to use depthwise separable convolutions, see
    `skconvnet.layers.SeparableConv2D`. They require the default values of `groups` and
    `conv_method`.
convs_per_block : int or tuple, default=1
    The number of convolutions before each pooling. Only the first one uses `strides`.
residual : bool or tuple of bool, default=False
    Whether to add a shortcut around the convolutions of a block, see
    `skconvnet.layers.Residual`.
global_pooling : {"max", "avg"}, default=None
    Reduces each map to a single value before the dense layers. None flattens the maps
    instead.
input_shape : tuple of int or None, default=None
    The shape of a sample: (length, channels) for sequences, (height, width, channels)
    for images, (depth, height, width, channels) for volumes. The number of entries
    minus one is the number of spatial axes. An entry of None stands for any length. If
    input_shape is None, X of shape (n, length, 1) has sequences, (n, height, width)
    gray images, (n, height, width, channels) images, and (n, depth, height, width,
    channels) volumes; rows whose length is a perfect square become square images, and
    all others become images of height 1.
data_format : {"channels_last", "channels_first"}, default="channels_last"
    The order of the axes of X and of `input_shape`. With "channels_first", images have
    the shape (n, channels, height, width), and rows are in that order. Everything that
    is reported remains channels last.""",
    "rescale": """\
rescale : {"auto"} or None, default="auto"
    Whether X is standardized, so that it may have any units: with "auto", the first
    layer is a `skconvnet.layers.Standardize` called ``"rescale"``, which subtracts the
    mean of each channel over the training set, and divides by its standard deviation.
    None leaves X, and y of a regressor, as they are.""",
    "rescale_y": """
    "auto" also standardizes each output of y, except with the loss "poisson".
    Predictions and scores are in the units of y; losses, such as `loss_`, and the
    ``delta`` of `skconvnet.losses.Huber` are in units of the standard deviation of
    y.""",
    "sequential": """\
layers : list of (str, layer) tuples or of layers, default=None
    Layers of `skconvnet.layers`, or "passthrough". None is equivalent to
    ``[("dense1", Dense(100, activation="relu"))]``. A layer without a name is named
    after its class, such as ``conv2d``; if there are several of one class, they are
    numbered, as in ``conv2d_1`` and ``conv2d_2``.
input_shape : tuple of int or None, default=None
    The shape of a sample, channels last, if X consists of rows. An entry of None stands
    for any length. If input_shape is None, dense layers
    take rows as they are, and 1-D layers take them as sequences of one channel. For
    2-D layers, rows whose length is a perfect square become square images, and all
    others become images of height 1.
data_format : {"channels_last", "channels_first"}, default="channels_last"
    The order of the axes of X and of `input_shape`. With "channels_first", sequences
    have the shape (n, channels, length), and rows are in that order. Targets and
    predictions of positions, and everything that is reported, remain channels last.""",
    "augmentation": """\
augmentation : Augmentation, list or None, default=None
    Random changes to training samples: an object of `skconvnet.augmentation`, such as
    ``Shift(2)``, or a list of such objects or of (str, object) tuples, applied in
    order. A search reaches ``augmentation__max_pixels`` or, in a list,
    ``augmentation__shift__max_pixels``. With "lbfgs", each sample is changed in the
    same way in every iteration.
predict_augmentation : str, Versions or None, default=None
    Versions of each sample whose predictions are averaged: "mirror", "shifts",
    "mirror+shifts", or a `skconvnet.augmentation.Versions`, which says what they are.
    It may be set after `fit`, and takes part in predictions and scores only, those of
    a validation set included.""",
    "training": """\
solver : str or Optimizer, default="adam"
    The solver for weight optimization:

    - "sgd", "adam", "adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta",
      "muon" or "schedule_free_adamw";
    - "lbfgs", SciPy's L-BFGS on the full batch;
    - an object of `skconvnet.optimizers`, whose parameters a search reaches as
      ``solver__rho``.
alpha : float, default=0.0001
    The strength of the penalty on the kernels, ``alpha * ((1 - l1_ratio) / 2 * |w|^2 +
    l1_ratio * |w|_1)``, which is divided by the number of samples in an update.
l1_ratio : float, default=0.0
    The share of the L1 norm in the penalty, in [0, 1]. The L1 penalty sets weights to
    exactly zero: a weight that an update would take across zero becomes zero, and stays
    there as long as the gradient of the loss, averaged over about an epoch, does not
    exceed the slope of the penalty. With `averaging`, only weights that were zero
    throughout are zero in the average.
batch_size : int or "auto", default="auto"
    The number of samples in a minibatch. "auto" means
    <automatic batch_size>.
batch_mode : {"mbgd", "bgd", "sgd"}, default="mbgd"
    The samples used in each update: a minibatch of `batch_size` samples ("mbgd"), the
    full batch ("bgd") or a single sample ("sgd"). Memory use is bounded, regardless of
    the number of samples in an update.
learning_rate : str or Schedule, default="constant"
    The learning rate schedule, which starts from `learning_rate_init`:

    <automatic learning_rate>
    - "constant" keeps the learning rate constant.
    - "invscaling" divides it by the number of samples seen, raised to `power_t`. As in
      scikit-learn, it has an effect only with ``solver="sgd"``.
    - "adaptive" divides it by 5 each time training stalls. As in scikit-learn, it has
      an effect only with ``solver="sgd"``.
    - "step", "exponential", "polynomial", "cosine", "one_cycle" and "plateau" apply to
      every solver except "lbfgs", and so does an object of `skconvnet.schedules`, whose
      parameters a search reaches as ``learning_rate__factor``.

    Schedules with a planned end reach it after `max_iter` epochs; set
    ``n_iter_no_change=np.inf`` to keep training from stopping earlier. ``fit`` restarts
    the schedule, even with `warm_start`. Each call of ``partial_fit`` counts as an
    epoch, and restarts the schedule only if it was changed since the last call.
learning_rate_init : float, default=0.001
    The initial learning rate. For "one_cycle" and schedules with a warm-up, it is the
    largest learning rate.
power_t : float, default=0.5
    The exponent of ``learning_rate="invscaling"``.
max_iter : int, default=200
    The maximum number of epochs, or of iterations with "lbfgs".
shuffle : bool, default=True
    Whether to shuffle the samples in each epoch.
random_state : int, RandomState instance or None, default=None
    Determines the initial weights, the validation split, the order of the samples,
    dropout and augmentation. Pass an int for reproducible results across multiple
    calls. They are the same to the last bit for every value of `n_jobs`.
tol : float, default=1e-4
    The tolerance for the optimization. An epoch that improves the loss, or the score
    if ``early_stopping=True``, by less than `tol` counts as stalled.
verbose : bool or int, default=False
    What `fit` shows of its progress. 1 prints a line for each epoch: losses, validation
    score, learning rate, samples per second and the time left; perceptrons print the
    text of scikit-learn. 2 shows a bar in their place, where rich is installed. With
    "lbfgs" nothing is shown.
warm_start : bool, default=False
    Whether `fit` continues from the weights of the previous call, instead of
    initializing new ones.
momentum : float, default=0.9
    The momentum of ``solver="sgd"``. An optimizer object has parameters of its own.
nesterovs_momentum : bool, default=True
    Whether to use Nesterov's momentum. Only used when ``solver="sgd"``.
early_stopping : bool, default=False
    Whether to stop training when the score on a validation set stalls, and to keep the
    weights of the best epoch. The validation set is a fraction of the training set,
    `validation_fraction`, unless X_val and y_val are passed to `fit`. ``partial_fit``
    requires X_val and y_val, and each call counts as an epoch: once `stopped_` is True,
    the weights are those of the best call.
validation_fraction : float, default=0.1
    The fraction of the training samples to set aside as a validation set. Only used if
    ``early_stopping=True`` and no validation set is passed to `fit`.
scoring : str, callable or None, default=None
    The score of the validation set, greater being better: None for accuracy or R^2,
    "loss" for the negative loss, a name from `sklearn.metrics.get_scorer_names`, or a
    callable ``scorer(estimator, X, y)``. Sample weights are passed to the scorer if it
    accepts them.
beta_1 : float, default=0.9
    The decay rate of the moving average of the gradient. Only used when `solver` is
    "adam", "adamw", "nadam", "adamax" or "schedule_free_adamw".
beta_2 : float, default=0.999
    The decay rate of the moving average of the squared gradient. Only used by the same
    solvers as `beta_1`.
epsilon : float, default=1e-8
    Added to the root of the second average. Used by the same solvers as `beta_1`.
n_iter_no_change : int, default=10
    Training stops after more than this many consecutive stalled epochs.
max_fun : int, default=15000
    The maximum number of function evaluations. Only used when ``solver="lbfgs"``.
max_grad_norm : float, default=None
    The maximum Euclidean norm of the gradient, the penalty included; longer gradients
    are scaled down to it. Not used by "lbfgs".
max_grad_value : float, default=None
    The maximum absolute value of each element of the gradient; larger elements are
    clipped, before `max_grad_norm` is applied. Not used by "lbfgs".
averaging : None, float or "swa", default=None
    The average of the weights that is used for validation, early stopping and
    prediction. A float in (0, 1), such as 0.999, is the decay rate of an exponential
    moving average over the updates; "swa" is the mean over the epochs of the last
    quarter of `max_iter`. The moving statistics of batch normalization are averaged in
    the same way. Training itself continues with the weights that are not averaged, also
    from call to call of ``partial_fit``, unless `set_weights` replaced them. With
    `warm_start`, ``fit`` continues from the average. Not used by "lbfgs".
layer_learning_rates : dict or None, default=None
    Factors of the learning rate by the names of layers, as in `summary`, or of arrays,
    as in `get_weights`: ``{"conv1": 0.1, "conv1/bias": 1.0}``. The longest name counts,
    and the factor of other weights is 1. Must be None with "lbfgs".
layer_alphas : dict or None, default=None
    Factors of `alpha`, for kernels, and of the solver's `weight_decay`, likewise.
n_jobs : int, default=None
    The number of threads. None means as many as BLAS may use, so that a search over
    processes does not oversubscribe the CPUs. -1 means all CPUs.
dtype : {"auto", "float32", "float64"}, default="auto"
    The data type of the weights and of all computations. "auto" chooses float32 if X
    has the dtype float32 or an integer dtype of 8 or 16 bits, and float64
    otherwise.""",
    "classifier": """\
loss : str or Loss, default="log_loss"
    The loss function, summed over the outputs. For a sample with raw scores s and
    signs t, which are 1 for its own class and -1 for the others:

    - "log_loss": cross-entropy, with softmax outputs; with logistic outputs for two
      classes or multilabel y.
    - "squared_error": half the squared error, with one logistic output per class.
    - "hinge": ``max(0, 1 - t * s)``, one class against the rest.
    - "squared_hinge": ``max(0, 1 - t * s) ** 2``, one class against the rest.
    - "perceptron": ``max(0, -t * s)``. With no hidden layer, "sgd" without momentum,
      ``batch_size=1`` and ``alpha=0``, training follows the perceptron rule, ``w += eta
      * (t - y) * x``, for targets t and predictions y of 0 or 1.

    Alternatively, an object of `skconvnet.losses`, such as
    ``LogLoss(label_smoothing=0.1)``, whose parameters a search reaches as
    ``loss__label_smoothing``. `predict_proba` is available for "log_loss" and
    "squared_error".
class_weight : dict, list of dict, "balanced" or None, default=None
    The weights of the classes, by which the sample weights are multiplied. "balanced"
    makes them inversely proportional to the class frequencies. Classes that a dict
    leaves out have a weight of 1. For several columns of labels, a list of dicts.""",
    "regressor": """\
loss : str or Loss, default="squared_error"
    The loss function, summed over the outputs:

    - "squared_error": half the squared error.
    - "absolute_error": the absolute error.
    - "huber": the Huber loss with ``delta=1``.
    - "quantile": the pinball loss of the median.
    - "poisson": half the Poisson deviance, with an exponential output; requires
      y >= 0.

    Alternatively, an object of `skconvnet.losses`, such as ``Huber(delta=2)`` or
    ``Quantile(0.9)``, whose parameters a search reaches as ``loss__delta``.""",
    "attributes": """\
loss_ : float
    The loss of the last epoch, the penalty included.
loss_curve_ : list of float
    The loss of each epoch.
learning_rate_curve_ : list of float
    The learning rate of the last update of each epoch. Not available with "lbfgs".
best_loss_ : float or None
    The smallest loss of any epoch. None if ``early_stopping=True``.
validation_scores_ : list of float or None
    The score on the validation set after each epoch: accuracy, R^2 or `scoring`. None
    without a validation set.
best_validation_score_ : float or None
    The best score on the validation set. None without a validation set.
validation_loss_curve_ : list of float or None
    The loss on the validation set after each epoch, without the penalty. None without
    a validation set.
stopped_ : bool
    Whether training ended in the last call because it no longer improved, or because
    it was interrupted.
n_iter_ : int
    The number of epochs, or of iterations with "lbfgs", of the last call.
t_ : int
    The number of training samples seen by the solver.
n_layers_ : int
    The number of layers that have weights, plus one for the input.
n_outputs_ : int
    The number of outputs of the network, at each position if it predicts maps.
out_activation_ : str
    The activation of the outputs: "softmax", "logistic", "identity" or "exp".
n_features_in_ : int
    The number of values in a sample. Not defined if samples differ in size.
feature_names_in_ : ndarray of shape (n_features_in_,)
    The names of the features. Defined only if all column names of X are strings.
network_ : Network
    The network: its layers and their weights.""",
}


# What "auto" means: of most estimators, and of ConvNets.
_AUTOMATIC = {
    "training": {
        "    <automatic batch_size>": "    ``min(200, n_samples)``",
        "    <automatic learning_rate>\n": "",
    },
    "convnet_training": {
        "    <automatic batch_size>": (
            "    about a 64th of the training samples, as a power of 2 from 8 to 128;\n"
            "    up to 32 samples are one minibatch"
        ),
        "    <automatic learning_rate>": (
            '    - "auto" means "one_cycle" in ``fit``. In ``partial_fit`` and with\n'
            '      ``solver="schedule_free_adamw"``, it means "constant".'
        ),
    },
}


def _training_part(own: dict[str, str]) -> str:
    """Return the parameters of training, with the meanings of "auto" filled in."""
    part = _PARTS["training"]
    for placeholder, text in own.items():
        part = part.replace(placeholder, text)
    return part


_PARTS |= {name: _training_part(own) for name, own in _AUTOMATIC.items()}


def documented(cls: _T) -> _T:
    """Fill in the shared parts of a docstring, and tidy what `help` shows.

    The parts are named in braces, each on a line. The defaults that they state are
    replaced by those of the class.
    """
    doc = cls.__doc__ or ""
    for name, part in _PARTS.items():
        doc = doc.replace(f"    {{{name}}}", indent(part, "    "))
    defaults = {field.name: field.default for field in fields(cls)}
    cls.__doc__ = most_used_first(give_defaults(doc, defaults))
    gather_methods(cls)
    shorten_requests(cls)
    return cls
