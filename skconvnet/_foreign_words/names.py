"""Classes, functions and methods of Keras and PyTorch."""

from __future__ import annotations

from skconvnet._foreign_words.words import NO_GPU, Words

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
    "state_dict": "Use get_weights, or skconvnet.interop.to_torch_state(est).",
    "load_state_dict": "Use skconvnet.interop.from_torch_state(est, state).",
    "predict_classes": "predict",
    "fit_generator": "partial_fit",
    "train_on_batch": "partial_fit",
    "forward": "predict",
    "module_": "network_",
    "model_": "network_",
    "named_parameters": "get_weights",
    "parameters": "Use get_weights for weights, or get_params for hyperparameters.",
    "to": NO_GPU,
    "cuda": NO_GPU,
    "eval": "Dropout is off in predict; there are no modes to switch.",
    "train": "fit",
    "add": "Pass the list of layers to the constructor.",
}
