"""Random changes to training samples: the `augmentation` of an estimator."""

from typing import TYPE_CHECKING

from skconvnet._foreign_words import AUGMENTATION_CLASSES
from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.augmentation.affine import Affine as Affine
    from skconvnet.augmentation.affine import Rotation as Rotation
    from skconvnet.augmentation.affine import Scaling as Scaling
    from skconvnet.augmentation.affine import Shear as Shear
    from skconvnet.augmentation.base import Augmentation as Augmentation
    from skconvnet.augmentation.brightness import Brightness as Brightness
    from skconvnet.augmentation.compose import Compose as Compose
    from skconvnet.augmentation.contrast import Contrast as Contrast
    from skconvnet.augmentation.crop import Crop as Crop
    from skconvnet.augmentation.cutout import Cutout as Cutout
    from skconvnet.augmentation.elastic import Elastic as Elastic
    from skconvnet.augmentation.flip import Flip as Flip
    from skconvnet.augmentation.mixup import Mixup as Mixup
    from skconvnet.augmentation.progressive_resizing import (
        ProgressiveResizing as ProgressiveResizing,
    )
    from skconvnet.augmentation.shift import Shift as Shift
    from skconvnet.augmentation.versions import Versions as Versions

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "affine": ["Affine", "Rotation", "Scaling", "Shear"],
        "base": ["Augmentation"],
        "brightness": ["Brightness"],
        "compose": ["Compose"],
        "contrast": ["Contrast"],
        "crop": ["Crop"],
        "cutout": ["Cutout"],
        "elastic": ["Elastic"],
        "flip": ["Flip"],
        "mixup": ["Mixup"],
        "progressive_resizing": ["ProgressiveResizing"],
        "shift": ["Shift"],
        "versions": ["Versions"],
    },
    words=AUGMENTATION_CLASSES,
)
