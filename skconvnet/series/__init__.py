"""Time series from the containers of other libraries, and windows of them."""

from typing import TYPE_CHECKING

from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.series.forecasting import windows as windows
    from skconvnet.series.frames import from_multiindex as from_multiindex
    from skconvnet.series.frames import from_nested as from_nested
    from skconvnet.series.padded import from_padded as from_padded
    from skconvnet.series.padded import to_padded as to_padded

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "forecasting": ["windows"],
        "frames": ["from_multiindex", "from_nested"],
        "padded": ["from_padded", "to_padded"],
    },
)
