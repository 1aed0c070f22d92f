"""The parts of the docstrings that several estimators have in common."""

from __future__ import annotations

from textwrap import indent
from typing import TypeVar

_T = TypeVar("_T", bound=type)

_PARTS = {
    "convnet": """\
filters : int or tuple of int, default=(32, 64)
    Output channels of each block's convolution.
kernel_size : int or tuple, default=3
    Of the convolutions. Here and below a scalar holds for every block, a tuple
    gives one value per block, which may itself be a (height, width) pair.
strides : int or tuple, default=1
    Of the convolutions.
padding : {"valid", "same", "full"}, int, or tuple, default="same"
    Of the convolutions.
dilation : int or tuple, default=1
    Distance between the taps of a kernel.
conv_method : {"auto", "im2col", "winograd", "fft"} or tuple, default="auto"
    How convolutions are computed, see `skconvnet.layers.Conv2D`.
pooling : {"max", "avg"}, None, or tuple, default="max"
    What follows each convolution.
pool_size : int or tuple, default=2
    Size and stride of the pooling windows. Where the image shape was guessed from
    rows, axes of length 1 are left unpooled.
hidden_layer_sizes : int or tuple of int, default=(128,)
    Units of each dense layer between the last block and the output.
activation : str or tuple, default="relu"
    "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu",
    "silu", "softplus", "hard_sigmoid" or "step" (only for weights that are set by
    hand). A tuple gives one for each block, the last of which then holds for the dense
    layers, or one for each block and each dense layer.
kernel_initializer : str or Initializer, default="auto"
    How the kernels are drawn, see `skconvnet.layers.Conv2D` and `Dense`; of all
    layers, the output layer included.
dropout : float or tuple, default=0.0
    Share of values dropped in training after each block and each dense layer. A
    tuple of one rate per block drops nothing after the dense layers.
batch_norm : bool or tuple of bool, default=False
    Whether there is a `skconvnet.layers.BatchNorm` between each convolution and its
    activation.
groups : int or tuple, default=1
    Groups of channels that the convolutions keep apart.
separable : bool or tuple of bool, default=False
    Whether convolutions are depthwise separable, `skconvnet.layers.SeparableConv2D`;
    `groups` and `conv_method` do not apply to these.
convs_per_block : int or tuple, default=1
    Convolutions before each pooling; the first of them takes the `strides`.
residual : bool or tuple of bool, default=False
    Whether the convolutions of a block have a shortcut around them,
    `skconvnet.layers.Residual`.
global_pooling : {"max", "avg"}, default=None
    Pools each map to one value before the dense layers, instead of flattening.
input_shape : tuple of int, default=None
    (height, width, channels) of an image if X comes as rows. None makes square images
    of rows whose length is a perfect square, and images of height 1 of others.""",
    "sequential": """\
layers : list of (str, layer) tuples or of layers, default=None
    Layers of `skconvnet.layers`, or "passthrough". None stands for a single
    ``("dense1", Dense(100, activation="relu"))``. Those without a name are called
    after their class: ``conv2d``, or ``conv2d_1``, ``conv2d_2`` if there are several.
input_shape : tuple of int, default=None
    Shape of a sample, channels last, if X comes as rows. None leaves rows as they are
    for dense layers, makes sequences of one channel for 1-D layers, and for 2-D layers
    a square image if the length is a perfect square, or else one of height 1.""",
    "augmentation": """\
augmentation : Augmentation, list or None, default=None
    Random changes to the samples in training, never in prediction or validation: an
    object of `skconvnet.augmentation` such as ``Shift(2)``, or a list of them or of
    (str, object) tuples, applied in that order. A search reaches their parameters as
    ``augmentation__max_pixels``, in a list as ``augmentation__shift__max_pixels``.
    With "lbfgs" each sample is changed once, for the whole search.""",
    "training": """\
solver : str or Optimizer, default="adam"
    "sgd", "adam", "adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta" or
    "schedule_free_adamw"; "lbfgs", SciPy's L-BFGS on the full batch; or an
    object of `skconvnet.optimizers`, whose parameters a search reaches as
    ``solver__rho``.
alpha : float, default=0.0001
    Strength of the penalty on kernels, ``alpha * ((1 - l1_ratio) / 2 * |w|^2 +
    l1_ratio * |w|_1)``, divided by the samples of an update.
l1_ratio : float, default=0.0
    Share of the L1 norm in the penalty, in [0, 1]. It sets weights to exactly zero: a
    weight that an update would take across zero becomes zero, and stays so while the
    gradient of the loss, averaged over about an epoch, is within the slope of the
    penalty. With `averaging`, weights that were zero only part of the time are not.
batch_size : int or "auto", default="auto"
    Samples of an update; "auto" is ``min(200, n_samples)``.
batch_mode : {"mbgd", "bgd", "sgd"}, default="mbgd"
    Minibatches of `batch_size`, the full batch in each update, or one sample per
    update. Memory is bounded, no matter how many samples an update has.
learning_rate : str or Schedule, default="constant"
    How the rate changes from ``learning_rate_init``. As in scikit-learn, "invscaling"
    (divided by the ``power_t``-th power of the samples seen) and "adaptive" (divided by
    5 each time training stalls) are used by "sgd" alone. For every solver but "lbfgs":
    "step", "exponential", "polynomial", "cosine", "one_cycle", "plateau", or an object
    of `skconvnet.schedules`, whose parameters a search reaches as
    ``learning_rate__factor``. Those with a planned end take it from `max_iter`; with
    ``n_iter_no_change=np.inf`` they are sure to reach it. ``fit`` restarts the
    schedule, also with `warm_start`; calls of ``partial_fit`` count as its epochs.
learning_rate_init : float, default=0.001
    The rate to start from; the largest one of "one_cycle" and of a warm-up.
power_t : float, default=0.5
    Of "invscaling" by name.
max_iter : int, default=200
    Epochs, or iterations of L-BFGS.
shuffle : bool, default=True
    Whether to shuffle the samples in each epoch.
random_state : int, RandomState instance or None, default=None
    Draws the weights, splits off the validation set, shuffles, and seeds dropout
    and augmentation.
    The result is the same to the last bit for every `n_jobs`.
tol : float, default=1e-4
    An epoch that improves the loss, or the validation score, by less than this
    counts as stalled.
verbose : bool, default=False
    Whether to print the loss of each epoch.
warm_start : bool, default=False
    Whether fit continues from the weights of the last call.
momentum : float, default=0.9
    Of "sgd" by name; an object has its own parameters.
nesterovs_momentum : bool, default=True
    Whether "sgd" uses Nesterov's momentum.
early_stopping : bool, default=False
    Whether to stop when the score on a validation set stalls, and to keep the
    weights of its best epoch. The set is `validation_fraction` of the training set,
    or X_val and y_val of fit. In partial_fit, which needs X_val and y_val, each call
    counts as an epoch: once `stopped_` is True, the weights are those of the best
    call.
validation_fraction : float, default=0.1
scoring : str, callable or None, default=None
    What the validation set is scored by: None for accuracy or R^2, "loss" for the
    negative loss, a name of `sklearn.metrics.get_scorer_names`, or a callable
    ``scorer(estimator, X, y)``; greater is better. It is given ``sample_weight``
    where fit was and it takes it.
beta_1, beta_2 : float, default=0.9, 0.999
    Of "adam", "adamw", "nadam", "adamax" and "schedule_free_adamw" by name: decay of
    the averages of the gradient and of its square.
epsilon : float, default=1e-8
    Of the same: added to the root of the second average.
n_iter_no_change : int, default=10
    Training stops after more than so many stalled epochs.
max_fun : int, default=15000
    Of "lbfgs" by name: function evaluations at most.
max_grad_norm : float, default=None
    Scale longer gradients, the penalty's included, down to this Euclidean norm. Like
    the next two of all solvers but "lbfgs".
max_grad_value : float, default=None
    Clip each element of the gradient to this absolute value, before `max_grad_norm`.
averaging : None, float or "swa", default=None
    Average of the weights that validation, early stopping and prediction use. A float
    is the decay in (0, 1) of an exponential moving average over the updates, such as
    0.999; "swa" is the mean over the epochs of the last quarter of `max_iter`. The
    moving statistics of batch normalization are averaged alike.
    Training itself continues with its own weights, from call to call of
    ``partial_fit`` too, unless others are set in between; with `warm_start`, ``fit``
    continues from the average.
n_jobs : int, default=None
    Threads. None takes as many as BLAS may use, so that a search over processes does
    not oversubscribe the CPUs; -1 takes all CPUs.
dtype : {"auto", "float32", "float64"}, default="auto"
    Of weights and arithmetic. "auto" takes the smaller that holds the values of X:
    float32 for float32 and 8- and 16-bit integers, else float64.""",
    "classifier": """\
loss : str or Loss, default="log_loss"
    Or an object of `skconvnet.losses`, whose parameters a search reaches as
    ``loss__label_smoothing``.

    - "log_loss", or ``LogLoss(label_smoothing=0.1)``: softmax outputs, or logistic
      ones for two classes and for multilabel y.
    - "squared_error": half of it, on logistic outputs, one per class.
    - "hinge", "squared_hinge": on raw scores with t = 1 or -1, ``max(0, 1 - t * s)`` or
      its square, one class against the rest.
    - "perceptron": ``max(0, -t * s)``. With no hidden layer, "sgd" without momentum,
      ``batch_size=1`` and ``alpha=0`` it is the rule ``w += eta * (t - y) * x``.

    Summed over the outputs. `predict_proba` is available for the first two.
class_weight : dict, "balanced" or None, default=None
    Weight of each class, multiplied into the sample weights; "balanced" weighs
    classes by the inverse of their frequency.""",
    "regressor": """\
loss : str or Loss, default="squared_error"
    "squared_error" (half of it), "absolute_error", "huber" (with delta=1), "quantile"
    (the pinball loss of the median), or "poisson", half the Poisson deviance, which
    has an exponential output and needs y >= 0; or an object of `skconvnet.losses` such
    as ``Huber(delta=2)`` or ``Quantile(0.9)``, whose parameters a search reaches as
    ``loss__delta``. Summed over the outputs.""",
    "attributes": """\
loss_ : float
    Loss of the last epoch, the penalty included.
loss_curve_ : list of float
    Loss of every epoch.
learning_rate_curve_ : list of float
    Learning rate of the last update of every epoch; not with "lbfgs".
best_loss_ : float or None
    Smallest of them; None under early stopping.
validation_scores_ : list of float or None
    Accuracy, R^2 or `scoring` on the validation set after each epoch.
best_validation_score_ : float or None
validation_loss_curve_ : list of float or None
    Loss on the validation set after each epoch, without the penalty.
stopped_ : bool
    Whether the last call ended training because it no longer improved.
n_iter_ : int
    Epochs, or iterations, of the last call.
t_ : int
    Samples seen in all.
n_layers_ : int
    Input, output and layers with weights between them.
n_outputs_ : int
out_activation_ : str
    "softmax", "logistic", "identity" or "exp".
n_features_in_ : int
    Values of one sample.
feature_names_in_ : ndarray of shape (n_features_in_,)
    Only where X had string column names.
network_ : Network
    The runtime layers and their weights.""",
}


def documented(cls: _T) -> _T:
    """Fill in the shared parts of a docstring, each named in braces on a line."""
    doc = cls.__doc__ or ""
    for name, part in _PARTS.items():
        doc = doc.replace(f"    {{{name}}}", indent(part, "    "))
    cls.__doc__ = doc
    return cls
