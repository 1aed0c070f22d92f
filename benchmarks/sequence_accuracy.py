"""Train networks for texts here and in PyTorch, and compare their accuracies.

    python benchmarks/sequence_accuracy.py [--networks lstm] [--epochs 6] [--seeds 3]
                                           [--texts 6000]

The texts are the docstrings of `examples/text.py`, as rows of tokens that end in
padding, and the label is the package that they come from. In PyTorch, sequences are
packed for an LSTM, padding has no attention in a transformer, and no part in pooling.
Both start from the same weights, and take minibatches of the same size in another
order, with the same optimizer. Printed are the mean test accuracy over the seeds, and
its standard deviation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from _machine import print_machine
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from skconvnet import SequentialClassifier
from skconvnet.interop import to_torch_state
from skconvnet.layers import (
    LSTM,
    Bidirectional,
    Conv1D,
    Embedding,
    GlobalAvgPool,
    GlobalMaxPool,
    TransformerEncoder,
)
from skconvnet.params.base import LayerSpec
from skconvnet.text import TokenSequence

N_TOKENS, LENGTH, N_DIMS, N_CLASSES = 10_000, 100, 64, 3
BATCH, RATE = 64, 1e-3

Data: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class _Network(nn.Module):
    """An embedding, what becomes of its vectors, and an output layer."""

    def __init__(self, body: nn.Module, n_features: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(N_TOKENS, N_DIMS, padding_idx=0)
        self.body = body
        self.output = nn.Linear(n_features, N_CLASSES)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        lengths = (tokens != 0).sum(dim=1).clamp(min=1)
        features = self.features(self.embedding(tokens), lengths)
        return self.output(features)

    def features(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError


class _Convolution(_Network):
    def __init__(self) -> None:
        super().__init__(nn.Conv1d(N_DIMS, 64, 3, padding=1), 64)

    def features(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        maps = self.body(x.transpose(1, 2)).relu()
        is_padding = torch.arange(maps.shape[2]) >= lengths[:, None, None]
        return maps.masked_fill(is_padding, -torch.inf).amax(dim=2)


class _LSTM(_Network):
    def __init__(self) -> None:
        lstm = nn.LSTM(N_DIMS, 64, batch_first=True, bidirectional=True)
        # Ours has one bias, and two that are trained would change twice as fast.
        for name, bias in lstm.named_parameters():
            bias.requires_grad_("bias_hh" not in name)
        super().__init__(lstm, 128)

    def features(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = pack_padded_sequence(x, lengths, True, enforce_sorted=False)
        _, (states, _) = self.body(packed)
        return torch.cat([states[0], states[1]], dim=1)


class _Transformer(_Network):
    def __init__(self) -> None:
        block = nn.TransformerEncoderLayer(N_DIMS, 4, 128, 0.0, batch_first=True)
        super().__init__(block, N_DIMS)

    def features(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        is_padding = torch.arange(x.shape[1]) >= lengths[:, None]
        steps = self.body(x, src_key_padding_mask=is_padding)
        steps = steps.masked_fill(is_padding[..., None], 0)
        return steps.sum(dim=1) / lengths[:, None]


NETWORKS: dict[str, tuple[list[LayerSpec], type[_Network]]] = {
    "text_cnn": (
        [Conv1D(64, 3, padding="same", activation="relu"), GlobalMaxPool()],
        _Convolution,
    ),
    "lstm": ([Bidirectional(LSTM(64))], _LSTM),
    "transformer": ([TransformerEncoder(4, 128), GlobalAvgPool()], _Transformer),
}


def load(n_texts: int | None) -> Data:
    """Return tokens and packages of texts, for training and for testing."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    from _docstrings import read_texts, split_by_file

    texts, packages, files = read_texts()
    train, test = split_by_file(texts, packages, files)
    train = np.random.default_rng(0).permutation(train)[:n_texts]
    tokens = TokenSequence(max_tokens=N_TOKENS, max_length=LENGTH)
    _, labels = np.unique(packages, return_inverse=True)
    return (
        tokens.fit_transform(texts[train]),
        labels[train],
        tokens.transform(texts[test]),
        labels[test],
    )


def our_network(name: str, seed: int, epochs: int = 1) -> SequentialClassifier:
    """Return a network that is not trained."""
    layers, _ = NETWORKS[name]
    return SequentialClassifier(
        [("embedding", Embedding(N_TOKENS, N_DIMS, padding_token=0)), *layers],
        batch_size=BATCH,
        learning_rate_init=RATE,
        alpha=0.0,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        tol=0.0,
        dtype="float32",
        random_state=seed,
    )


def torch_network(name: str, seed: int, X: np.ndarray, y: np.ndarray) -> nn.Module:
    """Return the network in PyTorch, with the weights that ours starts from."""
    _, make = NETWORKS[name]
    network, ours = make(), our_network(name, seed).initialize(X, y)
    state = to_torch_state(ours, like=network.state_dict())
    network.load_state_dict(
        {own: torch.from_numpy(array) for own, array in state.items()}
    )
    return network


def accuracy_of_torch(name: str, seed: int, epochs: int, data: Data) -> float:
    """Train the network in PyTorch; return its test accuracy."""
    X, y, X_test, y_test = data
    network = torch_network(name, seed, X, y)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    tokens, labels = torch.from_numpy(X.astype(np.int64)), torch.from_numpy(y)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for index in torch.randperm(len(X), generator=generator).split(BATCH):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(tokens[index]), labels[index])
            loss.backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        scores = network(torch.from_numpy(X_test.astype(np.int64)))
    return float(np.mean(scores.argmax(dim=1).numpy() == y_test))


def accuracies(
    name: str, seeds: Sequence[int], epochs: int, data: Data
) -> tuple[list[float], list[float]]:
    """Return the test accuracies of ours and of PyTorch's, one per seed."""
    X, y, X_test, y_test = data
    ours = [
        our_network(name, seed, epochs).fit(X, y).score(X_test, y_test)
        for seed in seeds
    ]
    theirs = [accuracy_of_torch(name, seed, epochs, data) for seed in seeds]
    return ours, theirs


def main(argv: list[str] | None = None) -> None:
    """Print the accuracies of all networks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--texts", type=int, help="of the training set; default: all")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    args = parser.parse_args(argv)
    print_machine()
    data = load(args.texts)
    print(f"\n{len(data[0])} texts for training, {len(data[2])} for testing")
    print(f"{'network':<14}{'ours':>17}{'PyTorch':>17}")
    for name in args.networks:
        pair = accuracies(name, range(args.seeds), args.epochs, data)
        cells = (f"{np.mean(own):.4f} +- {np.std(own):.4f}" for own in pair)
        print(f"{name:<14}" + "".join(f"{cell:>17}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
