"""Show how far each layer is from the fastest that this machine could be.

    python benchmarks/roofline.py [--networks mnist cifar] [--samples 64] [--rounds 15]

The floor of a layer is the time that its matrix products would take at the speed of
large ones, with as few multiplications as the algorithm needs, plus the time to read
and write each map once at the speed of large copies: the input and the output forward,
the gradient of the output, the input and the gradient of the input backward. Both
speeds are measured first. Times are medians of a forward and a backward pass of
training, on one thread, over one micro-batch, in microseconds per sample. PyTorch's are
those of the better layout of memory. Layers that run as one step are one row.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np
from _machine import print_machine
from _torch_networks import channels_first, layouts_of, modules_of, torch
from networks import NETWORKS, data, our_network

from skconvnet._typing import FeatureMap
from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.network import Network
from skconvnet.layers.base import Layer
from skconvnet.layers.branched import BranchedLayer
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.conv_max_pool_fusion import PooledConvolutionLayer
from skconvnet.ops.convolution.interleaved import InterleavedConvolution
from skconvnet.ops.workspace import Workspace


class Speeds(NamedTuple):
    """What one thread of this machine does per microsecond."""

    flops: float
    bytes: float


class Row(NamedTuple):
    """A step of a network, in microseconds per sample."""

    name: str
    products: float
    maps: float
    ours: float
    theirs: float | None

    @property
    def floor(self) -> float:
        """Both parts of the floor."""
        return self.products + self.maps


def microseconds(call: Callable[[], object], rounds: int) -> float:
    """Return the median time of a call."""
    call()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e6


def measure_speeds() -> Speeds:
    """Return the speed of a large matrix product and of a large copy in float32."""
    n = 1024
    a = np.random.default_rng(0).random((n, n), dtype=np.float32)
    product, source = np.empty_like(a), np.zeros(2**25, np.float32)
    target = np.ones_like(source)
    return Speeds(
        2 * n**3 / microseconds(lambda: np.matmul(a, a, out=product), 15),
        2 * source.nbytes / microseconds(lambda: np.copyto(target, source), 7),
    )


def product_flops(layer: Layer[Any], n: int) -> float:
    """Return the FLOPs of the products of all three passes, for n samples."""
    if isinstance(layer, BranchedLayer):
        inner = (own for chain in layer.chains.values() for own in chain.steps)
        return sum(product_flops(step.layer, n) for step in inner)
    if isinstance(layer, PooledConvolutionLayer):
        layer = layer.convolution
    if isinstance(layer, ConvolutionLayer):
        algorithm = layer.selector.for_batch(n)
        if isinstance(algorithm, InterleavedConvolution):
            n_maps = prod(algorithm.windows.dilation)
            algorithm, n = algorithm.inner(n), n * n_maps
        terms = algorithm.cost_terms(n)
        return float(terms.flops) if terms else 3.0 * layer.flops * n
    has_products = any(name in layer.weight_shapes for name in layer.penalized)
    return 3.0 * layer.flops * n if has_products else 0.0


def map_bytes(layer: Layer[Any], *, need_dx: bool) -> float:
    """Return the bytes of all maps that are read or written, per sample."""
    n_in, n_out = prod(layer.in_shape), prod(layer.out_shape)
    return 4.0 * (2 * n_in + 2 * n_out + need_dx * n_in)


def time_step(
    layer: Layer[Any],
    x: FeatureMap,
    workspace: Workspace,
    rounds: int,
    *,
    need_dx: bool,
) -> tuple[float, FeatureMap]:
    """Return the microseconds of both passes, and the output."""
    y, cache = layer.forward(x, train=True, rng=None, workspace=workspace)
    y, dy = y.copy(), np.random.default_rng(0).random(y.shape, dtype=np.float32)
    gradients = {
        name: np.empty(shape, np.float32) for name, shape in layer.weight_shapes.items()
    }
    times = []
    for _ in range(rounds):
        own = dy.copy()  # the layer may overwrite it
        start = time.perf_counter()
        _, cache = layer.forward(x, train=True, rng=None, workspace=workspace)
        layer.backward(
            own, cache, gradients=gradients, workspace=workspace, need_dx=need_dx
        )
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e6, y


def time_modules(
    modules: torch.nn.Module, x: np.ndarray, rounds: int, *, need_dx: bool
) -> tuple[float, np.ndarray]:
    """Return the microseconds of both passes in PyTorch, and the output."""
    times = {}
    for layout in layouts_of(x):
        tensor = torch.from_numpy(x)
        if layout == "channels_last":
            memory = {"memory_format": torch.channels_last}
            modules, tensor = modules.to(**memory), tensor.contiguous(**memory)
        tensor.requires_grad_(need_dx and tensor.is_floating_point())
        with torch.no_grad():
            gradient = torch.rand_like(modules(tensor))

        run = partial(_run_modules, modules, tensor, gradient)
        times[layout] = microseconds(run, rounds)
    return min(times.values()), np.ascontiguousarray(gradient.numpy())


def _run_modules(modules: torch.nn.Module, x: torch.Tensor, dy: torch.Tensor) -> None:
    x.grad = None
    modules(x).backward(dy)


def rows_of(name: str, n: int, rounds: int, speeds: Speeds) -> list[Row]:
    """Return a row for each step of a network."""
    X, y = data(name, max(n, 10))
    network: Network = our_network(name).initialize(X, y).network_
    x = Inputs(X[:n], network.in_shape, np.float32).read(slice(0, n), Workspace())
    theirs = channels_first(X[:n])
    steps, workspaces = network.chain.steps, network.workspaces()
    names, specs = list(network.layers), dict(network.specs)
    stops = [step.index for step in steps[1:]] + [len(names)]
    rows = []
    for step, stop in zip(steps, stops, strict=True):
        need_dx, layer = bool(rows), step.layer
        own, y_step = time_step(
            layer, x, workspaces[step.index], rounds, need_dx=need_dx
        )
        time_of_peer = None
        parts = names[step.index : stop]
        if torch is not None:
            shape, modules = network.layers[parts[0]].in_shape, torch.nn.Sequential()
            for part in parts:
                modules.extend(modules_of(specs[part], shape))
                shape = network.layers[part].out_shape
            trains = need_dx or any(True for _ in modules.parameters())
            if trains:
                time_of_peer, theirs = time_modules(
                    modules, theirs, rounds, need_dx=need_dx
                )
                time_of_peer /= n
        share = 1 if need_dx else 2 / 3
        rows.append(
            Row(
                " + ".join(parts),
                share * product_flops(layer, n) / n / speeds.flops,
                map_bytes(layer, need_dx=need_dx) / speeds.bytes,
                own / n,
                time_of_peer,
            )
        )
        x = y_step
    return rows


def print_table(name: str, rows: list[Row]) -> None:
    """Print the rows of a network, and their sum."""
    peers = [row.theirs for row in rows if row.theirs is not None]
    total = Row(
        "total",
        sum(row.products for row in rows),
        sum(row.maps for row in rows),
        sum(row.ours for row in rows),
        sum(peers) if peers else None,
    )
    header = ("products", "maps", "ours", "ours / floor", "PyTorch", "its / floor")
    print(f"\n| {name} | {' | '.join(header)} |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in [*rows, total]:
        peer = ["", ""]
        if row.theirs is not None:
            peer = [f"{row.theirs:.1f}", f"{row.theirs / row.floor:.1f}"]
        cells = [
            row.name,
            *(f"{value:.1f}" for value in (row.products, row.maps, row.ours)),
            f"{row.ours / row.floor:.1f}",
            *peer,
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    parser.add_argument("--samples", type=int, default=64, help="in a micro-batch")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    print_machine()
    if torch is not None:
        torch.set_num_threads(1)
    with single_threaded_blas.limited():
        speeds = measure_speeds()
        print(
            f"one thread: {speeds.flops / 1e3:.0f} GFLOP/s, {speeds.bytes / 1e3:.1f} "
            "GB/s read and written; microseconds per sample"
        )
        for name in args.networks:
            print_table(name, rows_of(name, args.samples, args.rounds, speeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
