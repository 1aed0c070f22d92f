"""
An encoder and a decoder reverse strings
========================================

``EncoderDecoder`` reads one sequence and writes another. With each step that it writes,
it looks at the steps that it has read. When the task is to write a string backward,
these looks have to run from its end to its start, and so they do.
"""

# %%
# A row has the source, a token that says "start", and the target up to its last token
# but one. The decoder sees the target so far and predicts the next token: y is the
# target, one step later. Token 0 is "start", the letters are the others.
import matplotlib.pyplot as plt
import numpy as np

from skconvnet import SequentialClassifier
from skconvnet.inspection import attention_weights
from skconvnet.layers import (
    GRU,
    Bidirectional,
    Dense,
    Embedding,
    EncoderDecoder,
    TimeDistributed,
)

rng = np.random.default_rng(0)
letters, length, n = "-abcdefgh", 6, 1000
source = rng.integers(1, len(letters), size=(n + 200, length))
target = source[:, ::-1]
start = np.zeros((len(source), 1), dtype=int)
X = np.concatenate([source, start, target[:, :-1]], axis=1)
y = target[..., np.newaxis]

# %%
# The encoder reads in both directions. A dense layer for each step of the decoder and
# the output layer choose a letter.
embedding = Embedding(len(letters), 16)
network = SequentialClassifier(
    [
        (
            "translate",
            EncoderDecoder(
                encoder=[embedding, Bidirectional(GRU(16, return_sequences=True))],
                decoder=[embedding, GRU(16, return_sequences=True)],
                source_length=length,
                units=16,
            ),
        ),
        ("hidden", TimeDistributed([Dense(32, activation="tanh")])),
    ],
    batch_size=32,
    learning_rate="one_cycle",
    learning_rate_init=0.02,
    max_iter=15,
    random_state=0,
)
network.fit(X[:n], y[:n])
print(f"letters that are right: {network.score(X[n:], y[n:]):.3f}")

# %%
# To write, the decoder needs its own letters, one after the other. The steps after the
# one to be predicted do not matter.
rows = X[n : n + 3].copy()
rows[:, length + 1 :] = 0
for step in range(length):
    written = network.predict(rows)[:, step, 0]
    if step < length - 1:
        rows[:, length + 1 + step] = written
written = network.predict(rows)[..., 0]
for read, own in zip(source[n:], written, strict=False):
    print(*("".join(letters[token] for token in row) for row in (read, own)))

# %%
# Each row of a picture is a step of the decoder, and has the weights of the letters
# that were read.
weights = attention_weights(network, rows, "translate")[:, 0]
fig, axes = plt.subplots(1, 3, figsize=(9, 3.3), layout="constrained")
for ax, matrix, read, own in zip(axes, weights, source[n:], written, strict=False):
    image = ax.imshow(matrix, cmap="viridis", vmin=0, vmax=1)
    ax.set_xticks(range(length), [letters[token] for token in read])
    ax.set_yticks(range(length), [letters[token] for token in own])
    ax.set(xlabel="read")
axes[0].set_ylabel("written")
fig.colorbar(image, ax=axes, label="weight", shrink=0.85)
plt.show()
