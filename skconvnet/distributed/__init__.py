"""Training on several machines, with Dask (extra ``dask``)."""

from typing import TYPE_CHECKING

from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.distributed.fitting import fit as fit

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "fitting": ["fit"],
    },
)
