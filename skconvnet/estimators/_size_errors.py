"""Errors about samples that are too small for a network, or have another size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from skconvnet._typing import Shape
from skconvnet.engine.network import SizeDependentWeightsError
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._channel_errors import what_of_channels
from skconvnet.estimators._convnet_remedies import remedies_of
from skconvnet.estimators._data_format import is_convnet
from skconvnet.estimators._input_shape import shape_of_maps
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._network_builder import Entry
from skconvnet.estimators._reading import sequences_meant
from skconvnet.estimators._sample_sizes import layer_without_output, smallest_size
from skconvnet.estimators._shape_words import lengths, noun, size
from skconvnet.ops.windows import NoOutputError


@contextmanager
def no_output_explained(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
    entries: Sequence[Entry],
    in_shape: Shape,
) -> Iterator[None]:
    """Explain the error that a layer of a new network has no output.

    Parameters
    ----------
    estimator : estimator
    X : array or MapList
    entries : sequence of (str, spec)
        The layers of the network.
    in_shape : tuple of int
        How samples are read, channels last.
    """
    try:
        yield
    except NoOutputError as error:
        if len(in_shape) == 1:
            raise ValueError(
                f"{error} The samples are read as rows of {in_shape[0]} values; rows "
                "of tokens can be padded to more, as by max_length of TokenSequence."
            ) from error
        text, remedies = _explained(estimator, error, entries, in_shape)
        text += f" The samples are read as {lengths(in_shape)}"
        smallest = smallest_size(entries, in_shape)
        if smallest is not None:
            text += f"; the smallest that fit are {size(smallest)}"
        settings = f"set {' or '.join(remedies)}" if remedies else ""
        sequences = sequences_meant(estimator, X, in_shape)
        if sequences is not None:
            advice = f"For {sequences}"
            advice += f"; for images, {settings}." if settings else "."
        else:
            advice = f"S{settings[1:]}. " if settings else ""
            advice += (
                "If they are something else, check input_shape and the order of the "
                "axes of X."
            )
        raise ValueError(f"{text}. {advice}") from error


def _explained(
    estimator: Any,  # noqa: ANN401  estimators have no type
    error: NoOutputError,
    entries: Sequence[Entry],
    in_shape: Shape,
) -> tuple[str, list[str]]:
    """Return an error in the words of the estimator, and what to set for an output."""
    layer = layer_without_output(entries, in_shape) if is_convnet(estimator) else None
    if layer is None:
        return str(error), []
    return str(layer), remedies_of(estimator, layer, entries, in_shape)


def check_sizes(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: CheckedX,
    name: str = "X",
    *,
    is_new: bool = False,
) -> None:
    """Raise a ValueError if a sample of a list has no shape for the network.

    Parameters
    ----------
    estimator : estimator
        With its network.
    X : array or MapList
        Only a MapList is checked.
    name : str
        What the user calls X.
    is_new : bool
        Whether the network was built for these samples.
    """
    if not isinstance(X, MapList):
        return
    network = estimator.network_
    ndim = len(network.in_shape) - 1
    numbers: dict[Shape, int] = {}
    for i, one in enumerate(X.maps):
        numbers.setdefault(one.shape, i)
    for own, i in numbers.items():
        sample = f"{name}[{i}]"
        shape = shape_of_maps(own, ndim, channels_first=X.channels_first)
        is_text = len(own) == 1 and network.chain.takes_tokens
        if shape is None or (shape[-1] != network.in_shape[-1] and not is_text):
            raise ValueError(_wrong_channels(estimator, X, own, shape, sample))
        if is_text and network.ends_at_padding and not network.predicts_maps:
            # It is padded to the smallest length that fits.
            shape = (max(shape[0], network.shortest_length),)
        try:
            network.for_shape(shape)
        except NoOutputError as error:
            text = _too_small(estimator, error, shape, sample)
            raise ValueError(text) from error
        except SizeDependentWeightsError as error:
            text = _another_size(estimator, error, shape, sample, is_new=is_new)
            raise ValueError(text) from error


def _wrong_channels(
    estimator: Any,  # noqa: ANN401  estimators have no type
    X: MapList,
    own: Shape,
    shape: Shape | None,
    sample: str,
) -> str:
    in_shape = estimator.network_.in_shape
    text = f"{sample} has shape {own}, but {type(estimator).__name__} was fitted on "
    if len(in_shape) == 1:
        return f"{text}rows of {in_shape[0]} features."
    n_channels = f"{in_shape[-1]} channel" + ("" if in_shape[-1] == 1 else "s")
    text += f"samples of {len(in_shape) - 1} spatial axes and {n_channels}"
    if shape is None:
        return f"{text}, the channels {'first' if X.channels_first else 'last'}."
    return f"{text}: {what_of_channels(shape, in_shape)}."


def _too_small(
    estimator: Any,  # noqa: ANN401  estimators have no type
    error: NoOutputError,
    shape: Shape,
    sample: str,
) -> str:
    specs = estimator.network_.specs
    own = size(shape[:-1] or shape)
    text = f"{sample} is {noun(shape)} of {own}, too small for the network"
    smallest = smallest_size(specs, shape)
    if smallest is not None:
        text += f", which takes {size(smallest)} and more"
    reason, remedies = _explained(estimator, error, specs, shape)
    others = f", or fit with {' or '.join(remedies)}" if remedies else ""
    return f"{text}: {reason} Enlarge or pad small samples{others}."


def _another_size(
    estimator: Any,  # noqa: ANN401  estimators have no type
    error: SizeDependentWeightsError,
    shape: Shape,
    sample: str,
    *,
    is_new: bool,
) -> str:
    if not is_convnet(estimator):
        return str(error)
    name = type(estimator).__name__
    own, other = size(shape[:-1]), size(estimator.network_.in_shape[:-1])
    if not is_new:
        return (
            f"{sample} is {noun(shape)} of {own}, but {name} was fitted on samples of "
            f"{other}, and with global_pooling=None it needs that size. Resize the "
            "samples, or fit with global_pooling='avg', which takes any size."
        )
    resize = "give all samples one size"
    if len(shape) == 3:
        resize = "resize all images, for example with load_images(folder, size=64)"
    return (
        f"The samples of X have different sizes, such as {own} of {sample}, and up to "
        f"{other}. For them, set global_pooling='avg' or 'max', as in "
        f"{name}(global_pooling='avg'); or {resize}."
    )
