"""Random changes to training samples: the `augmentation` of an estimator."""

from skconvnet.augmentation.affine import Affine, Rotation, Scaling, Shear
from skconvnet.augmentation.base import Augmentation
from skconvnet.augmentation.brightness import Brightness
from skconvnet.augmentation.compose import Compose
from skconvnet.augmentation.contrast import Contrast
from skconvnet.augmentation.crop import Crop
from skconvnet.augmentation.cutout import Cutout
from skconvnet.augmentation.elastic import Elastic
from skconvnet.augmentation.flip import Flip
from skconvnet.augmentation.mixup import Mixup
from skconvnet.augmentation.shift import Shift

__all__ = [
    "Affine",
    "Augmentation",
    "Brightness",
    "Compose",
    "Contrast",
    "Crop",
    "Cutout",
    "Elastic",
    "Flip",
    "Mixup",
    "Rotation",
    "Scaling",
    "Shear",
    "Shift",
]
