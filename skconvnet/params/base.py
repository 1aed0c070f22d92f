"""Base classes for objects of hyperparameters, such as the spec of a layer."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import clone

from skconvnet._checks import as_python
from skconvnet._foreign_words import LAYER_PARAMETERS, Words
from skconvnet._typing import Shape
from skconvnet.params.constraints import check_magnitudes, check_values
from skconvnet.params.known_names import KnownNames

if TYPE_CHECKING:
    from skconvnet.layers.base import Layer


class Params(KnownNames):
    """Hyperparameters that are cloned, printed and searched like an estimator's."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def check_params(self) -> None:
        """Raise an InvalidParameterError, a ValueError, if a value is not allowed."""
        check_magnitudes(self.get_params(deep=False), type(self).__name__)
        check_values(self, self._parameter_constraints)

    def checked_copy(self) -> Self:
        """Return a checked copy in which NumPy scalars are converted to Python's."""
        self.check_params()  # first, since not every wrong value can be copied
        copy: Self = clone(self)
        for name, value in copy.get_params(deep=False).items():
            if isinstance(value, Params):
                setattr(copy, name, value.checked_copy())
            else:
                setattr(copy, name, as_python(value))
        return copy


class LayerSpec(Params):
    """Hyperparameters of a layer, from which `build` makes a runtime layer.

    Except for ``fit``, a spec behaves like an estimator: it stores its arguments
    unchanged and is cloned, printed and searched like one. It never holds weights.

    Attributes
    ----------
    spatial_ndim : int or None
        Number of spatial axes that the layer works on, such as 2 for images. 0 means
        flat features, None means any shape.
    """

    spatial_ndim: ClassVar[int | None] = None
    _words: ClassVar[Words] = LAYER_PARAMETERS

    @abstractmethod
    def build(self, in_shape: Shape) -> Layer[Any]:
        """Return the runtime layer for samples of shape `in_shape`.

        Parameters
        ----------
        in_shape : tuple of int
            Shape of one sample, channels last, without the batch.

        Returns
        -------
        layer : Layer
            Its `out_shape` is the shape of one output sample.

        Raises
        ------
        ValueError, TypeError
            If a hyperparameter is out of range or does not fit `in_shape`.
        """


@dataclass(eq=False, repr=False)
class TrainableSpec(LayerSpec):
    """Hyperparameters of a layer that has weights, or is made of layers.

    Parameters
    ----------
    trainable : bool, default=True
        Whether training changes the layer. If False, it is frozen: its weights, its
        buffers, and those of all layers inside it keep their values in every fit.
    """

    trainable: bool = field(default=True, kw_only=True)

    @property
    def is_frozen(self) -> bool:
        """Whether training leaves the layer as it is.

        Raises
        ------
        TypeError
            If `trainable` is neither True nor False.
        """
        if not isinstance(self.trainable, bool | np.bool_):
            raise TypeError(f"trainable must be True or False; got {self.trainable!r}.")
        return not self.trainable
