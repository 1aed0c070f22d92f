"""A growing ONNX graph: nodes, constants and outputs, with unique names.

Inside the graph, a map is a tensor of shape (batch, channels, *spatial), as the
operators of ONNX want it, and flat features have the shape (batch, features).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skconvnet._checks import check_int
from skconvnet.onnx.dependencies import import_for_export

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

# Since 13, reductions and paddings take axes as they do here; 14, 17 and later versions
# add nothing that is needed.
MIN_OPSET = 13
# ONNX Runtime runs it since version 1.14, from February 2023.
DEFAULT_OPSET = 18
# That of ZipMap, which has been the same since version 1.
ML_DOMAIN, ML_OPSET = "ai.onnx.ml", 3
# The name of the axis of samples, whose length is open.
BATCH = "n_samples"
# A model in one file cannot be larger.
_MAX_BYTES = 2**31 - 1


class TokenOrder(NamedTuple):
    """In which order the tokens of X are read.

    Attributes
    ----------
    ranks : str
        Which of the positions that are read each position of X is, (batch, length).
    length : int
    """

    ranks: str
    length: int


class Graph:
    """Nodes and constants of a model, added in the order in which they run.

    Parameters
    ----------
    dtype : dtype
        float32 or float64, that of all numbers unless stated otherwise.
    opset : int
        Version of the operators, from `MIN_OPSET` on.

    Attributes
    ----------
    path : tuple of str
        Names of the layer whose nodes are added, from the outermost to the innermost.
    lengths : dict of str to (str or None)
        The lengths of the samples of each map that may be padded, by its name. See
        `skconvnet.onnx.lengths`.
    order : TokenOrder or None
        None means that positions are in the order of X.
    """

    def __init__(self, dtype: npt.DTypeLike, opset: int = DEFAULT_OPSET) -> None:
        self._onnx = import_for_export("onnx")
        self.dtype = np.dtype(dtype)
        self.opset = opset
        self.path: tuple[str, ...] = ()
        self.lengths: dict[str, str | None] = {}
        self.order: TokenOrder | None = None
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._inputs: list[ValueInfoProto] = []
        self._outputs: list[ValueInfoProto] = []
        self._names: set[str] = set()
        self._has_ml_nodes = False
        self._size = 0  # bytes of the constants of graphs inside of it

    @property
    def is_double(self) -> bool:
        """Whether numbers are float64, for which runtimes have fewer operators."""
        return self.dtype == np.float64

    @contextmanager
    def layer(self, name: str) -> Iterator[None]:
        """Put the name of a layer before all names that are added in the block."""
        outer = self.path
        self.path = (*outer, name) if name else outer
        yield
        self.path = outer

    def input(self, name: str, dtype: np.dtype[Any], shape: Sequence[int]) -> str:
        """Add an input of shape (batch, *shape), and return its name."""
        self._names.add(name)
        self._inputs.append(self._tensor_info(name, dtype, shape))
        return name

    def output(
        self, value: str, name: str, dtype: np.dtype[Any], shape: Sequence[int]
    ) -> None:
        """Let `value` be an output of shape (batch, *shape), called `name`."""
        self._append("Identity", (value,), self._unique(name, inside=False))
        self._outputs.append(self._tensor_info(name, dtype, shape))

    def output_of_maps(
        self, columns: str, name: str, keys: npt.NDArray[Any], dtype: np.dtype[Any]
    ) -> None:
        """Let the output called `name` be one map from keys to values per sample.

        Parameters
        ----------
        columns : str
            Numbers of shape (batch, n_keys).
        name : str
        keys : ndarray of int64 or of object
            Integers or strings.
        dtype : dtype
            That of the numbers. ONNX has maps of float32 alone.
        """
        helper, types = self._onnx.helper, self._onnx.TensorProto
        are_strings = keys.dtype.kind == "O"
        attribute = "classlabels_strings" if are_strings else "classlabels_int64s"
        if dtype != np.float32:
            columns = self.cast(columns, np.float32)
        self._has_ml_nodes = True
        self._append(
            "ZipMap",
            (columns,),
            self._unique(name, inside=False),
            domain=ML_DOMAIN,
            **{attribute: keys.tolist()},
        )
        key = types.STRING if are_strings else types.INT64
        number = helper.make_tensor_type_proto(types.FLOAT, [])
        sequence = helper.make_sequence_type_proto(
            helper.make_map_type_proto(key, number)
        )
        self._outputs.append(helper.make_value_info(name, sequence))

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401  as ONNX has them
        """Add a node with one output, and return the name of the output."""
        return self._append(op, inputs, self._unique(op), **attributes)

    def constant(self, values: npt.ArrayLike, name: str = "constant") -> str:
        """Add a constant in the dtype that it has, and return its name."""
        array = np.asarray(values)
        own = self._unique(name)
        if array.dtype.kind == "O":
            encoded = [text.encode() for text in array.ravel()]
            string = self._onnx.TensorProto.STRING
            tensor = self._onnx.helper.make_tensor(own, string, array.shape, encoded)
        else:
            # ascontiguousarray would turn a number into an array of one.
            array = np.array(array, order="C")
            tensor = self._onnx.numpy_helper.from_array(array, own)
        self._constants.append(tensor)
        return own

    def numbers(self, values: npt.ArrayLike, name: str = "constant") -> str:
        """Add a constant in the dtype of the graph, and return its name."""
        return self.constant(np.asarray(values).astype(self.dtype), name)

    def cast(self, value: str, dtype: npt.DTypeLike) -> str:
        """Convert a value to another dtype."""
        return self.add("Cast", value, to=self._type(np.dtype(dtype)))

    def reshape(self, value: str, shape: Sequence[int]) -> str:
        """Give samples another shape, in which one entry may be -1."""
        # A 0 keeps the length of the axis.
        sizes = self.constant(np.array([0, *shape], np.int64), "shape")
        return self.add("Reshape", value, sizes)

    def reduce(
        self, op: str, value: str, axes: Sequence[int], *, keepdims: bool = False
    ) -> str:
        """Reduce over axes by "ReduceSum", "ReduceMean" or "ReduceMax"."""
        keep = int(keepdims)
        if op != "ReduceSum" and self.opset < 18:
            return self.add(op, value, axes=list(axes), keepdims=keep)
        which = self.constant(np.array(axes, np.int64), "axes")
        return self.add(op, value, which, keepdims=keep)

    def body(self, name: str) -> Graph:
        """Return an empty graph for `scan`, with names of its own."""
        body = Graph(self.dtype, self.opset)
        body.path = (*self.path, name)
        return body

    def scan(
        self,
        body: Graph,
        states: Sequence[str],
        steps: str,
        *,
        reverse: bool = False,
    ) -> str:
        """Run `body` for one step after the other, and return its outputs of all steps.

        Parameters
        ----------
        body : Graph
            Its inputs are states and one step. Its outputs are the states after that,
            and what is returned.
        states : sequence of str
            The states before the first step.
        steps : str
            Values whose first axis counts the steps.
        reverse : bool, default=False
            Whether the last step comes first.
        """
        name = self._unique("Scan")
        after = [self._unique("state") for _ in states]
        own = self._onnx.helper.make_graph(
            body._nodes, name, body._inputs, body._outputs, body._constants
        )
        node = self._onnx.helper.make_node(
            "Scan",
            [*states, steps],
            [*after, name],
            name=name,
            body=own,
            num_scan_inputs=1,
            scan_input_directions=[int(reverse)],
        )
        self._nodes.append(node)
        self._size += body._size + sum(len(own.raw_data) for own in body._constants)
        return name

    def model(self, name: str) -> ModelProto:
        """Return the finished model.

        Raises
        ------
        ValueError
            If its weights take more than the 2 GB that a file may have.
        """
        helper = self._onnx.helper
        size = self._size + sum(len(own.raw_data) for own in self._constants)
        if size > _MAX_BYTES:
            raise ValueError(
                f"The weights take {size / 1e9:.1f} GB, but a model of ONNX may have "
                "at most 2 GB. Use a smaller network, or dtype='float32'."
            )
        opsets = [helper.make_opsetid("", self.opset)]
        if self._has_ml_nodes:
            opsets.append(helper.make_opsetid(ML_DOMAIN, ML_OPSET))
        graph = helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, self._constants
        )
        return helper.make_model(
            graph,
            opset_imports=opsets,
            # The newest version that the library writes may be unknown to a runtime.
            ir_version=helper.find_min_ir_version_for(opsets),
            producer_name="skconvnet",
        )

    def _append(
        self,
        op: str,
        inputs: Sequence[str],
        output: str,
        **attributes: Any,  # noqa: ANN401  as ONNX has them
    ) -> str:
        node = self._onnx.helper.make_node(
            op, list(inputs), [output], name=output, **attributes
        )
        self._nodes.append(node)
        return output

    def _unique(self, name: str, *, inside: bool = True) -> str:
        """Return a new name, with the names of the layer before it if `inside`."""
        name = "/".join((*self.path, name)) if inside else name
        own, number = name, 2
        while own in self._names:
            own, number = f"{name}_{number}", number + 1
        self._names.add(own)
        return own

    def _type(self, dtype: np.dtype[Any]) -> int:
        if dtype.kind == "O":
            return int(self._onnx.TensorProto.STRING)
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(dtype))

    def _tensor_info(
        self, name: str, dtype: np.dtype[Any], shape: Sequence[int]
    ) -> ValueInfoProto:
        return self._onnx.helper.make_tensor_value_info(
            name, self._type(dtype), [BATCH, *shape]
        )


def check_opset(opset: object) -> int:
    """Return a valid version of the operators; None is the default.

    Raises
    ------
    TypeError, ValueError
        If it is no int, or out of the range that the installed onnx knows.
    """
    if opset is None:
        return DEFAULT_OPSET
    number = check_int("opset", opset)
    onnx = import_for_export("onnx")
    newest = int(onnx.defs.onnx_opset_version())
    if not MIN_OPSET <= number <= newest:
        raise ValueError(
            f"opset must be an int from {MIN_OPSET} to {newest}, the newest one that "
            f"onnx {onnx.__version__} knows; got {opset!r}."
        )
    return number
