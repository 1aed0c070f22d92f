"""How a y that consists of maps is laid out, and predictions in the same form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Rows, Shape
from skconvnet.engine.map_targets import MapTargets, flat_positions
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._cell_arrays import cells_as_list
from skconvnet.estimators._position_weights import CheckedY
from skconvnet.estimators._shape_words import size

# Raw scores of flat outputs, of maps, or of maps of different sizes.
Scores: TypeAlias = npt.NDArray[Any] | list[npt.NDArray[Any]]


@dataclass(frozen=True)
class MapForm:
    """The axes of a y with targets for each position.

    Attributes
    ----------
    n_spatial : int
        Number of spatial axes.
    n_channels : int or None
        Length of the last axis of y, which follows the spatial ones. None if y has no
        such axis.
    """

    n_spatial: int
    n_channels: int | None

    @classmethod
    def of(cls, y: CheckedY, out_shape: Shape, last: str) -> MapForm:
        """Return the form of y for a network whose last layer gives `out_shape`.

        Parameters
        ----------
        y : ndarray of shape (n_samples, ...), or MapList
        out_shape : tuple of int
            Output shape of the layer before the output layer.
        last : str
            The name of this layer.

        Raises
        ------
        ValueError
            If y has another number of axes than the outputs.
        """
        own = y.maps[0].shape if isinstance(y, MapList) else y.shape[1:]
        n_spatial = len(out_shape) - 1
        if n_spatial and len(own) == n_spatial:
            return cls(n_spatial, None)
        if n_spatial and len(own) == n_spatial + 1:
            return cls(n_spatial, int(own[-1]))
        shape = ", ".join(["n", *map(str, own)])
        text = f"y has shape ({shape}), but the network's last layer, {last!r}, gives "
        if not n_spatial:
            raise ValueError(
                f"{text}{out_shape[0]} flat features. For a target at each position, "
                "leave out Flatten, global pooling and dense layers, and set "
                "return_sequences=True in recurrent layers, so that the last layer "
                "gives maps; for flat outputs, pass y.reshape(len(y), -1)."
            )
        raise ValueError(
            f"{text}maps of {size(out_shape[:-1])} with {out_shape[-1]} channels. A "
            f"target at each position has {n_spatial} axes per sample, or "
            f"{n_spatial + 1} with an axis of outputs at the end."
        )

    def check(self, y: CheckedY) -> None:
        """Raise a ValueError unless y has this form."""
        own = y.maps[0].shape if isinstance(y, MapList) else y.shape[1:]
        known = self.n_channels
        has_channels = len(own) == self.n_spatial + 1
        is_same = has_channels if known is not None else len(own) == self.n_spatial
        if not is_same or (known is not None and own[-1] != known):
            end = "" if known is None else f" and a last axis of {known}"
            shape = ", ".join(["n", *map(str, own)])
            raise ValueError(
                f"y has shape ({shape}), but the network was fitted on targets with "
                f"{self.n_spatial} spatial axes{end or ' alone'}."
            )

    def rows(self, y: CheckedY) -> npt.NDArray[Any]:
        """Return the targets of all positions of all samples, as a flat y."""
        rows = flat_positions(y, 0 if self.n_channels is None else 1)
        return rows[:, 0] if self.n_channels == 1 else rows

    def numbers(self, y: CheckedY) -> MapTargets:
        """Return real targets, with a last axis of outputs."""
        if self.n_channels is None:
            if isinstance(y, MapList):
                y = MapList([own[..., np.newaxis] for own in y.maps])
            else:
                y = y[..., np.newaxis]
        return MapTargets(
            y,
            self.n_channels or 1,
            are_classes=False,
            has_added_axis=self.n_channels is None,
        )

    def classes(
        self, indices: npt.NDArray[np.integer], y: CheckedY, n_classes: int
    ) -> MapTargets:
        """Return targets that are the index of a class at each position."""
        n_outputs = 1 if n_classes <= 2 else n_classes
        values: npt.NDArray[Any] | MapList
        if isinstance(y, MapList):
            shapes = [own.shape[: self.n_spatial] for own in y.maps]
            ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])
            parts = np.split(indices, ends[:-1])
            values = MapList(
                [part.reshape(s) for part, s in zip(parts, shapes, strict=True)]
            )
        else:
            values = indices.reshape(y.shape[: self.n_spatial + 1])
        return MapTargets(values, n_outputs, are_classes=True)

    def restored(self, predictions: Scores) -> Scores:
        """Return predictions (n_samples, *spatial, ...) in the form of y."""
        if self.n_channels != 1:
            return predictions
        if isinstance(predictions, list):
            return [own[..., np.newaxis] for own in predictions]
        return predictions[..., np.newaxis]


def by_position(function: Callable[[Rows], Any], scores: Any) -> Any:  # noqa: ANN401  Scores, or a list of an output each
    """Apply a function of flat scores to the scores of every position.

    Parameters
    ----------
    function : callable
        Takes rows of shape (n, n_outputs), and returns an array of length n.
    scores : ndarray of shape (n_samples, n_outputs)
        Or of shape (n_samples, *spatial, n_outputs), or a list of such arrays without
        the axis of samples.

    Examples
    --------
    >>> by_position(lambda rows: rows.argmax(axis=1), np.eye(3)[np.array([[0, 2]])])
    array([[0, 2]])
    """
    if isinstance(scores, list):
        return [by_position(function, own[np.newaxis])[0] for own in scores]
    if scores.ndim == 2:
        return function(scores)
    rows = function(scores.reshape(-1, scores.shape[-1]))
    return rows.reshape(*scores.shape[:-1], *rows.shape[1:])


def rows_of(scores: Scores) -> Rows:
    """Return the scores of all positions, of shape (n_positions, n_outputs)."""
    if isinstance(scores, list):
        return np.concatenate([rows_of(own) for own in scores])
    return scores.reshape(-1, scores.shape[-1])


def flat_and_weights(
    y: Any,  # noqa: ANN401  what users pass
    predictions: Scores,
    sample_weight: Any,  # noqa: ANN401  what users pass
    form: MapForm,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any] | None]:
    """Return y, predictions and weights of all positions, for metrics."""
    own = as_maps(y, "y")
    form.check(own)
    shapes = [np.shape(one) for one in own]
    predicted = [np.shape(one) for one in predictions]
    if shapes != predicted:
        pairs = zip(shapes, predicted, strict=False)
        different = next((pair for pair in pairs if pair[0] != pair[1]), None)
        if different is None:
            different = (f"{len(shapes)} samples", f"{len(predicted)}")
        raise ValueError(
            f"y has {different[0]} where predict returns {different[1]}; pass y of the "
            "shape that predict returns."
        )
    rows = form.rows(own)
    flat = form.rows(
        MapList(predictions) if isinstance(predictions, list) else predictions
    )
    return rows, flat, flat_weights(sample_weight, own, form)


def flat_weights(
    sample_weight: Any,  # noqa: ANN401  what users pass
    y: CheckedY,
    form: MapForm,
) -> npt.NDArray[Any] | None:
    """Return the weight of each position, given those of samples or of positions."""
    if sample_weight is None:
        return None
    weights = as_maps(sample_weight, "sample_weight")
    if len(weights) != len(y):
        raise ValueError(
            f"sample_weight has {len(weights)} elements, but y has {len(y)} samples."
        )
    spatial = [np.shape(own)[: form.n_spatial] for own in y]
    if isinstance(weights, MapList) or weights.ndim > 1:
        shapes = [np.shape(own) for own in weights]
        if shapes != spatial:
            raise ValueError(
                f"sample_weight has maps of shape {shapes[0]}, but y has targets for "
                f"{spatial[0]} positions. Pass one number per sample or per position."
            )
        return flat_positions(weights, 0)
    return np.repeat(weights, [np.prod(shape, dtype=int) for shape in spatial])


def as_maps(y: Any, name: str) -> CheckedY:  # noqa: ANN401  what users pass
    """Return an array, or a MapList for a list of maps of different sizes.

    An array or a column of objects that are maps is as good as a list of them.
    """
    if isinstance(y, MapList):
        return y
    y = cells_as_list(y)
    try:
        if not _has_maps(y) or len({np.shape(own) for own in y}) == 1:
            return np.asarray(y)
        maps = [np.asarray(own) for own in y]
    except ValueError as error:
        raise ValueError(
            f"{name} has elements of different lengths. Pass a number or a label for "
            f"each sample; or a list of arrays, {name}[i] with those of the positions "
            "of sample i."
        ) from error
    if len({own.ndim for own in maps}) > 1:
        raise ValueError(
            f"The maps of {name} must all have the same number of axes; got maps of "
            f"shapes {some_shapes(maps)}."
        )
    return MapList(maps)


def some_shapes(maps: Iterable[npt.NDArray[Any]]) -> list[Shape]:
    """Return the first of the shapes that maps have, for error messages."""
    return sorted({own.shape for own in maps}, key=str)[:3]


def is_ragged(y: Any) -> bool:  # noqa: ANN401  what users pass
    """Whether y is a list of maps of different sizes."""
    return isinstance(as_maps(y, "y"), MapList) if _has_maps(y) else False


def labels_of_positions(y: Any) -> Any:  # noqa: ANN401  what users pass
    """Return y as it is, or the labels of all positions if it consists of maps.

    >>> labels_of_positions(np.zeros((2, 3, 4))).shape
    (24,)
    """
    y = cells_as_list(y)
    if is_ragged(y):
        return np.concatenate([np.ravel(own) for own in y])
    return np.ravel(y) if np.ndim(y) > 2 else y


def _has_maps(y: Any) -> bool:  # noqa: ANN401  what users pass
    if isinstance(y, MapList):
        return True
    return isinstance(y, (list, tuple)) and len(y) > 0 and np.ndim(y[0]) > 0
