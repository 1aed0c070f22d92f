"""Names of methods of attribution, in Captum, tf-explain and elsewhere."""

from __future__ import annotations

from skconvnet._foreign_words.words import Words

_NO_SHAPLEY = (
    "There are no Shapley values; 'integrated_gradients' divides the score among the "
    "values as well."
)

ATTRIBUTION_METHODS: Words = {
    **dict.fromkeys(
        ("gradient", "gradients", "vanilla", "vanilla_gradient"), "saliency"
    ),
    **dict.fromkeys(
        ("gradient_x_input", "gradient_times_input", "grad_x_input"),
        "input_x_gradient",
    ),
    "ig": "integrated_gradients",
    **dict.fromkeys(("noise_tunnel", "noise"), "smooth_grad"),
    **dict.fromkeys(("LayerGradCam", "cam", "class_activation_map"), "grad_cam"),
    **dict.fromkeys(
        ("feature_ablation", "ablation", "perturbation", "sensitivity"), "occlusion"
    ),
    **dict.fromkeys(("shap", "shapley", "deep_lift", "gradient_shap"), _NO_SHAPLEY),
}
