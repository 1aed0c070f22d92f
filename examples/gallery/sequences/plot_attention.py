"""
Attention to the rows of a digit
================================

Layers of attention take weighted means over all steps of a sequence, and compute the
weights from the steps themselves. Here an image is a sequence of eight rows. We compare
layers of attention, and then look at the weights: which rows does the network look at?
"""

# %%
# The rows of 64 pixels become sequences of 8 steps with 8 channels. Attention alone
# does not know the order of the steps, which ``PositionalEncoding`` adds. In the end,
# ``AttentionPooling`` makes one vector of all steps.
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skconvnet import SequentialClassifier
from skconvnet.inspection import attention_weights
from skconvnet.layers import (
    AdditiveAttention,
    AttentionPooling,
    Conv1D,
    MultiHeadAttention,
    PositionalEncoding,
    Rescaling,
    Reshape,
    Residual,
    TransformerEncoder,
)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
blocks = {
    "none": "passthrough",
    "AdditiveAttention": Residual([AdditiveAttention(16)]),
    "MultiHeadAttention": Residual([MultiHeadAttention(num_heads=2, key_dim=8)]),
    "TransformerEncoder": TransformerEncoder(num_heads=2, units=32),
}
networks = {}
for name, block in blocks.items():
    network = SequentialClassifier(
        [
            ("scale", Rescaling(1 / 16)),
            ("rows", Reshape((8, 8))),
            ("wider", Conv1D(16, 1)),
            ("positions", PositionalEncoding()),
            ("block", block),
            ("pooling", AttentionPooling(16)),
        ],
        batch_size=32,
        learning_rate="one_cycle",
        learning_rate_init=0.02,
        max_iter=12,
        random_state=0,
    )
    networks[name] = network.fit(X_train, y_train)
    print(f"{name:19} accuracy {network.score(X_test, y_test):.3f}")

# %%
# Here, weights that are products of queries and keys help a lot, and those of additive
# attention do not. Below each digit: how much each row (vertical) looks at each row
# (horizontal), in the first head of the transformer. The bars beside the digit are the
# shares of the rows in the last mean.
network = networks["TransformerEncoder"]
chosen = [(y_test == digit).argmax() for digit in (1, 3, 4, 7)]
looks = attention_weights(network, X_test[chosen], "block")
shares = attention_weights(network, X_test[chosen], "pooling")
print("shapes:", looks.shape, shares.shape)
fig, axes = plt.subplots(2, 4, figsize=(9, 4.6), layout="constrained")
for i, (upper, lower) in enumerate(axes.T):
    upper.imshow(
        X_test[chosen[i]].reshape(8, 8), cmap="gray_r", extent=(0, 8, 7.5, -0.5)
    )
    upper.barh(range(8), 8 * shares[i], left=8.3, color="#D55E00")
    upper.set(xlim=(0, 14), title=f"a {y_test[chosen[i]]}")
    upper.set_axis_off()
    lower.imshow(looks[i, 0], cmap="Blues", vmin=0)
    lower.set(xticks=[0, 7], yticks=[0, 7], xlabel="row looked at")
axes[1, 0].set_ylabel("row")
plt.show()
