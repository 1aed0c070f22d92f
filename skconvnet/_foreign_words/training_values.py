"""Values of hyperparameters of training: batches, scores, averages, hardware."""

from __future__ import annotations

from skconvnet._foreign_words.words import NO_GPU, NUMBER, Words

CLASS_WEIGHTS: Words = {
    **dict.fromkeys(("auto", "balanced_subsample", "inverse", "true"), "balanced"),
    **dict.fromkeys(
        ("list", "tuple", "ndarray", "Series", "Tensor"),
        "Pass a dict with the classes as keys.",
    ),
}

AVERAGINGS: Words = {
    "ema": "Set averaging=0.99, the decay rate.",
    **dict.fromkeys(("average", "mean", "polyak", "asgd", "true"), "swa"),
    "none": "For no averaging, use None.",
}

BATCH_MODES: Words = {
    "minibatch": "mbgd",
    "batch": "bgd",
    "full": "bgd",
    "online": "sgd",
    "stochastic": "sgd",
    "mini": "mbgd",
    "minibatch_gd": "mbgd",
    "full_batch": "bgd",
    "batch_gd": "bgd",
    "gd": "bgd",
    "single": "sgd",
    "sample": "sgd",
}

BATCH_SIZES: Words = {
    "full": "Set batch_mode='bgd'.",
    "all": "Set batch_mode='bgd'.",
    "max": "Set batch_mode='bgd'.",
    "default": "auto",
    "none": "Leave batch_size at 'auto', or set batch_mode='bgd' for full batches.",
}

STOPPINGS: Words = {
    "EarlyStopping": "Set early_stopping=True; n_iter_no_change is the patience.",
    NUMBER: "Set early_stopping=True and n_iter_no_change={value}.",
    "auto": "Set early_stopping=True or early_stopping=False.",
    "val_loss": "Set early_stopping=True and scoring='loss'.",
    "validation_loss": "Set early_stopping=True and scoring='loss'.",
    "loss": "Set early_stopping=True and scoring='loss'.",
    "val_accuracy": "Set early_stopping=True and scoring='accuracy'.",
    "accuracy": "Set early_stopping=True and scoring='accuracy'.",
}

_ALL_CPUS = "For all CPUs, use n_jobs=-1."

DEVICES: Words = {
    **dict.fromkeys(("cuda", "cuda:0", "gpu", "mps", "tpu", "cpu"), NO_GPU),
    **dict.fromkeys(("auto", "all", "max"), _ALL_CPUS),
}

DTYPES: Words = {
    "float": "float32",
    "double": "float64",
    "float16": "float32",
    "half": "float32",
    "bfloat16": "float32",
    "single": "float32",
    **dict.fromkeys(("f4", "fp16", "fp32", "bf16", "mixed_float16"), "float32"),
    **dict.fromkeys(("f8", "fp64"), "float64"),
    **dict.fromkeys(("none", "default"), "auto"),
}

_KAPPA = "Pass scoring=make_scorer(cohen_kappa_score)."

# The names of scikit-learn's scores, and "loss".
SCORINGS: Words = {
    **dict.fromkeys(("acc", "accuracy_score", "val_acc", "val_accuracy"), "accuracy"),
    **dict.fromkeys(("categorical_accuracy", "binary_accuracy"), "accuracy"),
    **dict.fromkeys(("balanced_acc", "balanced_accuracy_score"), "balanced_accuracy"),
    **dict.fromkeys(("auc", "auroc", "roc", "roc_auc_score", "val_auc"), "roc_auc"),
    **dict.fromkeys(("pr_auc", "average_precision_score", "ap"), "average_precision"),
    **dict.fromkeys(("f1_score", "f_score", "f_measure"), "f1"),
    "macro_f1": "f1_macro",
    "precision_score": "precision",
    "recall_score": "recall",
    "sensitivity": "recall",
    **dict.fromkeys(("jaccard_score", "iou"), "jaccard"),
    **dict.fromkeys(("mcc", "matthews"), "matthews_corrcoef"),
    **dict.fromkeys(("kappa", "cohen_kappa", "cohen_kappa_score"), _KAPPA),
    **dict.fromkeys(("log_loss", "cross_entropy", "crossentropy_loss"), "neg_log_loss"),
    **dict.fromkeys(("brier", "brier_score", "brier_score_loss"), "neg_brier_score"),
    "r2_score": "r2",
    "r_squared": "r2",
    **dict.fromkeys(("mse", "mean_squared_error", "val_mse"), "neg_mean_squared_error"),
    **dict.fromkeys(("rmse", "root_mean_squared_error"), "neg_root_mean_squared_error"),
    **dict.fromkeys(
        ("mae", "mean_absolute_error", "val_mae"), "neg_mean_absolute_error"
    ),
    **dict.fromkeys(
        ("mape", "mean_absolute_percentage_error"), "neg_mean_absolute_percentage_error"
    ),
    **dict.fromkeys(("val_loss", "validation_loss", "neg_loss"), "loss"),
    **dict.fromkeys(("top_k", "top5", "top_5_accuracy"), "top_k_accuracy"),
    "none": "For accuracy or R^2, use None.",
}

ANNEALINGS: Words = {"cos": "cosine", "lin": "linear"}

MONITORED: Words = {
    "val_loss": "validation_loss",
    **dict.fromkeys(("loss", "train_loss"), "training_loss"),
    **dict.fromkeys(("score", "val_score"), "validation_score"),
    **dict.fromkeys(("accuracy", "acc", "val_accuracy", "val_acc"), "validation_score"),
}
