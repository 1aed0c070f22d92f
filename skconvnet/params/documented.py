"""What `help` and notebooks show of a class: a signature, and a link to the guide."""

from __future__ import annotations

import inspect
from abc import ABCMeta
from typing import ClassVar

from skconvnet._typing import override
from skconvnet.params.printed import Printed

_DOCS = "https://github.com/skconvnet/skconvnet/blob/main/docs/{page}"

_LINE_LENGTH = 80

# The page about the classes in each module or package of skconvnet.
PAGES = {
    "augmentation": "augmentation.md",
    "estimators": "estimators.md",
    "initializers": "initial_weights.md",
    "layers": "layers.md",
    "losses": "losses.md",
    "optimizers": "optimizers_and_learning_rates.md",
    "schedules": "optimizers_and_learning_rates.md",
}


class Text(str):
    """An annotation that is shown as it was written, without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


class ReadableSignature(inspect.Signature):
    """A signature with one parameter per line if it is long."""

    __slots__ = ()

    @override
    def __str__(self) -> str:
        text = super().__str__()
        if len(text) <= _LINE_LENGTH:
            return text
        lines = [f"    {parameter},\n" for parameter in self.parameters.values()]
        kinds = [parameter.kind for parameter in self.parameters.values()]
        if inspect.Parameter.KEYWORD_ONLY in kinds:
            lines.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "    *,\n")
        return f"(\n{''.join(lines)})"


def readable(signature: inspect.Signature) -> ReadableSignature:
    """Return the signature without quotes around types, and with all defaults.

    >>> def f(size: int | None = None) -> int: ...
    >>> print(inspect.signature(f))
    (size: 'int | None' = None) -> 'int'
    >>> print(readable(inspect.signature(f)))
    (size: int | None = None)
    """
    parameters = []
    for parameter in signature.parameters.values():
        annotation, default = parameter.annotation, parameter.default
        if isinstance(annotation, str):
            annotation = Text(annotation)
        if repr(default) == "<factory>":  # of dataclasses, for lists
            default = []
        parameters.append(parameter.replace(annotation=annotation, default=default))
    return ReadableSignature(parameters)


class _SignatureOfInit:
    """The value of ``__signature__``: that of ``__init__``, in readable form."""

    def __get__(self, instance: object, owner: type) -> ReadableSignature:
        signature = inspect.signature(inspect.getattr_static(owner, "__init__"))
        _, *parameters = signature.parameters.values()
        return readable(inspect.Signature(parameters))


class DocumentedType(ABCMeta):
    """The type of documented classes, which have a shorter `dir` and thus `help`.

    Not listed are the names that Python and dataclasses use themselves, and the default
    values, which the signature shows.
    """

    @override
    def __dir__(cls) -> list[str]:
        fields = getattr(cls, "__dataclass_fields__", {})
        return [
            name
            for name in super().__dir__()
            if not name.startswith("__") and name not in fields
        ]


class Documented(Printed, metaclass=DocumentedType):
    """An object of hyperparameters whose class is easy to look up.

    The attributes for the link are those that scikit-learn has for this purpose.
    Subclasses outside of this package have no link.
    """

    __signature__ = _SignatureOfInit()
    _doc_link_module: ClassVar[str] = "skconvnet"
    _doc_link_template: ClassVar[str] = _DOCS

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        part = type(self).__module__.split(".")[1]
        return {"page": PAGES.get(part, "estimators.md")}
