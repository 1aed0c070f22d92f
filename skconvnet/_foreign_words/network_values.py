"""Values of hyperparameters of layers, and of X."""

from __future__ import annotations

from skconvnet._foreign_words.words import NUMBER, Words

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
    "no": "valid",
    "false": "valid",
    "true": "same",
    "auto": "same",
    "same_upper": "same",
    "same_lower": "same",
    "symmetric": _PADDED_WITH,
    "mirror": _PADDED_WITH,
    "edge": _PADDED_WITH,
    "wrap": _PADDED_WITH,
    "causal": "Pass a (before, after) pair: padding=[(2, 0)] for kernel_size=3.",
}

_POOLS: Words = {
    "average": "avg",
    "mean": "avg",
    "maximum": "max",
    "max_pool": "max",
    "max_pooling": "max",
    "avg_pool": "avg",
    "avg_pooling": "avg",
    "average_pool": "avg",
    "average_pooling": "avg",
    "mean_pool": "avg",
}
_NO_POOLING = "For no pooling, use None."
_GLOBAL = "Set global_pooling='avg' or global_pooling='max'."

POOLINGS: Words = {
    **_POOLS,
    **{f"MaxPool{n}D": "max" for n in (1, 2, 3)},
    **{f"MaxPooling{n}D": "max" for n in (1, 2, 3)},
    **{f"AvgPool{n}D": "avg" for n in (1, 2, 3)},
    **{f"AveragePooling{n}D": "avg" for n in (1, 2, 3)},
    **dict.fromkeys(("none", "no", "false", "identity"), _NO_POOLING),
    **dict.fromkeys(("global", "gap", "global_avg", "global_max"), _GLOBAL),
    **dict.fromkeys(("global_average", "adaptive"), _GLOBAL),
    "strides": "For no pooling, use None, and set strides=2.",
    "min": "There is no pooling by the minimum; use 'max' or 'avg'.",
}

GLOBAL_POOLINGS: Words = {
    **_POOLS,
    **{f"global_{name}": advice for name, advice in _POOLS.items()},
    **{f"GlobalMaxPooling{n}D": "max" for n in (1, 2, 3)},
    **{f"GlobalAveragePooling{n}D": "avg" for n in (1, 2, 3)},
    "gap": "avg",
    "gmp": "max",
    "global_avg": "avg",
    "global_max": "max",
    **{f"AdaptiveAvgPool{n}d": "avg" for n in (1, 2, 3)},
    **{f"AdaptiveMaxPool{n}d": "max" for n in (1, 2, 3)},
    "true": "Use 'avg' or 'max'.",
    **dict.fromkeys(("none", "no", "false", "flatten"), "To flatten maps, use None."),
}

DATA_FORMATS: Words = {
    **dict.fromkeys(("NCHW", "CHW", "BCHW", "NCL", "NCW"), "channels_first"),
    **dict.fromkeys(("NCDHW", "first", "torch", "pytorch"), "channels_first"),
    **dict.fromkeys(("NHWC", "HWC", "BHWC", "NLC", "NWC"), "channels_last"),
    **dict.fromkeys(("NDHWC", "last", "keras", "tensorflow"), "channels_last"),
    **dict.fromkeys(("tf", "none", "default"), "channels_last"),
    "th": "channels_first",
    "auto": (
        "Use 'channels_last' for X of shape (n, H, W, C), or 'channels_first' for (n, "
        "C, H, W)."
    ),
}

_NO_RESCALING = "For X as it is, use None."

RESCALINGS: Words = {
    NUMBER: (
        "Use 'auto', which standardizes each channel, or multiply X by {value} "
        "yourself."
    ),
    **dict.fromkeys(("standard", "standardize", "StandardScaler", "zscore"), "auto"),
    **dict.fromkeys(("minmax", "MinMaxScaler", "normalize", "channel"), "auto"),
    "true": "auto",
    **dict.fromkeys(("none", "no", "false", "off"), _NO_RESCALING),
}

CONV_METHODS: Words = {
    **dict.fromkeys(("direct", "gemm", "matmul"), "im2col"),
    "fourier": "fft",
    **dict.fromkeys(("default", "none"), "auto"),
}

MODES: Words = {
    **dict.fromkeys(("linear", "trilinear", "bicubic", "cubic", "area"), "bilinear"),
    **dict.fromkeys(("nearest_neighbor", "nearest_exact", "repeat"), "nearest"),
}

_NORMALIZED_TOGETHER = (
    "Use 'channels' for the channels at each position, or 'all' for a whole sample."
)

NORMALIZED_AXES: Words = {
    **dict.fromkeys((NUMBER, "tuple", "list", "spatial"), _NORMALIZED_TOGETHER),
    **dict.fromkeys(("channel", "last", "feature", "features"), "channels"),
    **dict.fromkeys(("layer", "sample", "global", "none"), "all"),
}

_OF_THE_TRAINING_SET = (
    "Statistics are those of the training set, per 'channel' or per 'pixel'."
)

STATISTICS: Words = {
    **dict.fromkeys(("channels", "feature", "column"), "channel"),
    **dict.fromkeys(("position", "element"), "pixel"),
    **dict.fromkeys(("sample", "image", "batch"), _OF_THE_TRAINING_SET),
}

REDUCTIONS: Words = {
    **dict.fromkeys(("avg", "average", "sqrtn"), "mean"),
    "maximum": "max",
    "add": "sum",
    **dict.fromkeys(("none", "concat", "flatten"), "For all tokens, use None."),
}

_REPEATED = "Use 'nearest', which repeats the border."

VERSIONS: Words = {
    **dict.fromkeys(("flip", "flips", "hflip", "horizontal"), "mirror"),
    **dict.fromkeys(("shift", "translate", "crops"), "shifts"),
    **dict.fromkeys(("flip+shift", "mirror_translate"), "mirror+shifts"),
}

FILLS: Words = {
    NUMBER: "To fill with a number, set fill='constant' and fill_value={value}.",
    **dict.fromkeys(("zeros", "zero", "black"), "constant"),
    **dict.fromkeys(("edge", "replicate", "border", "closest"), "nearest"),
    **dict.fromkeys(("reflection", "mirror", "symmetric"), "reflect"),
    **dict.fromkeys(("wrap", "circular"), _REPEATED),
}

SHORTCUTS: Words = {
    **dict.fromkeys(("conv", "1x1", "linear", "downsample"), "projection"),
    **dict.fromkeys(("skip", "add", "none"), "identity"),
    **dict.fromkeys(("true", "default"), "auto"),
}
