"""Tensors of PyTorch that NumPy cannot read, recognized without importing PyTorch.

Other tensors are read as arrays are. PyTorch's own errors do not say which argument
they are about, and not all of the steps that are needed.
"""

from __future__ import annotations

from typing import Any

# What NumPy has as well.
_INTS = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
_DTYPES = {"float16", "float32", "float64", "complex64", "complex128", "bool", *_INTS}
_LOADERS = ("Dataset", "DataLoader")


def check_tensors(values: Any, name: str) -> None:  # noqa: ANN401  what users pass
    """Raise a TypeError if `values` are tensors that NumPy cannot read.

    Parameters
    ----------
    values : object
        A tensor, a list of tensors, or anything else.
    name : str
        What the user calls it.
    """
    if isinstance(values, (list, tuple)):
        if not any(map(_of_torch, set(map(type, values)))):
            return
        for i, value in enumerate(values):
            problems = _problems(value)
            if problems:
                fix = f"[x{''.join(problems.values())}.numpy() for x in {name}]"
                raise _error(f"{name}[{i}]", problems, fix)
    elif _of_torch(type(values)):
        problems = _problems(values)
        if problems:
            raise _error(name, problems, f"{name}{''.join(problems.values())}.numpy()")
        if _is_a(values, *_LOADERS):
            raise TypeError(
                f"{name} is a {type(values).__name__} of PyTorch, but must be an array "
                "or a list. Pass the samples and the labels; for a data set of pairs, "
                "they are X, y = zip(*dataset)."
            )


def _of_torch(kind: type) -> bool:
    return any(cls.__module__.partition(".")[0] == "torch" for cls in kind.__mro__)


def _is_a(value: object, *names: str) -> bool:
    return any(cls.__name__ in names and _of_torch(cls) for cls in type(value).__mro__)


def _problems(value: Any) -> dict[str, str]:  # noqa: ANN401  a tensor
    """Return why NumPy cannot read a tensor, and for each reason the step before.

    The steps are in the order in which they can be taken.
    """
    problems: dict[str, str] = {}
    if not _is_a(value, "Tensor"):
        return problems
    if value.requires_grad:
        problems["requires a gradient"] = ".detach()"
    if value.device.type == "meta":
        return {"is on the device meta, which keeps no values": ""}
    if value.device.type != "cpu":
        problems[f"is on the device {value.device}"] = ".cpu()"
    layout = str(value.layout).removeprefix("torch.")
    if layout != "strided":
        problems[f"has the layout {layout}"] = ".to_dense()"
    dtype = str(value.dtype).removeprefix("torch.")
    if value.is_quantized:
        problems["is quantized"] = ".dequantize()"
    elif dtype not in _DTYPES:
        problems[f"has dtype {dtype}"] = ".float()"
    return problems


def _error(name: str, problems: dict[str, str], fix: str) -> TypeError:
    reasons = " and ".join(problems)
    if not any(problems.values()):
        return TypeError(f"{name} is a tensor that {reasons}; make it on the CPU.")
    return TypeError(
        f"{name} is a tensor that {reasons}, so that NumPy cannot read it: pass {fix}."
    )
