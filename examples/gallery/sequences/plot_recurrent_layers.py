"""
Recurrent layers and their memory
=================================

A recurrent layer reads a series step by step and keeps a state. How long can it learn
to remember the first step? We train cells of four kinds on series of growing length, of
which only the first value matters.
"""

# %%
# Series of noise with one channel. The class is the sign of the first value.
# ``Bidirectional`` also reads from the last step to the first, so that the value that
# matters is the last one it sees.
import matplotlib.pyplot as plt
import numpy as np

from skconvnet import SequentialClassifier
from skconvnet.layers import GRU, LSTM, Bidirectional, SimpleRNN

rng = np.random.default_rng(0)
n = 500
lengths = [5, 10, 20, 40]
cells = {
    "SimpleRNN": SimpleRNN(8),
    "GRU": GRU(8),
    "LSTM": LSTM(8),
    "Bidirectional(SimpleRNN)": Bidirectional(SimpleRNN(8)),
}
scores = {name: [] for name in cells}
for length in lengths:
    X = rng.normal(size=(2 * n, length, 1))
    y = np.where(X[:, 0, 0] > 0, "positive", "negative")
    for name, cell in cells.items():
        network = SequentialClassifier(
            [("cell", cell)],
            batch_size=25,
            learning_rate="one_cycle",
            learning_rate_init=0.02,
            max_iter=15,
            random_state=0,
        ).fit(X[:n], y[:n])
        scores[name].append(network.score(X[n:], y[n:]))
for name, own in scores.items():
    print(f"{name:25}", " ".join(f"{score:.2f}" for score in own))

# %%
# An accuracy of 0.5 is that of guessing. The gradient reaches a distant step only if
# the cell already remembers it. ``SimpleRNN`` starts with an orthogonal recurrent
# kernel, which passes a small state on almost undiminished, and so does well here. In
# ``GRU`` and ``LSTM`` the gates start partly open, and the state fades until they have
# learned to keep it.
plt.style.use("tableau-colorblind10")
fig, ax = plt.subplots(figsize=(6, 3.8), layout="constrained")
for (name, own), marker in zip(scores.items(), "osD^", strict=True):
    ax.plot(lengths, own, marker=marker, label=name)
ax.axhline(0.5, color="0.5", ls=":", label="guessing")
ax.set(xlabel="steps of a series", ylabel="test accuracy", xscale="log")
ax.set_xticks(lengths, lengths)
ax.minorticks_off()
ax.legend(fontsize="small")
plt.show()
