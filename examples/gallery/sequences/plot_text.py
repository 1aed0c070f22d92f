"""
Which words decide? Text with attention
=======================================

``TokenSequence`` turns texts into rows of tokens, ``Embedding`` looks up a vector for
each token, and ``AttentionPooling`` takes their weighted mean. The weights tell which
words the network counts. The texts are the docstrings of SciPy, to be sorted by
subject.
"""

# %%
# The text before the list of parameters, without the name of the function and of its
# subject.
import inspect

import matplotlib.pyplot as plt
import numpy as np
from scipy import linalg, ndimage, signal, stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skconvnet import SequentialClassifier
from skconvnet.inspection import attention_weights
from skconvnet.layers import AttentionPooling, Dropout, Embedding
from skconvnet.text import TokenSequence

texts, subjects = [], []
for module in (linalg, ndimage, signal, stats):
    subject = module.__name__.removeprefix("scipy.")
    for name in module.__all__:
        docstring = inspect.getdoc(getattr(module, name)) or ""
        text = docstring.split("\nParameters\n")[0]
        if len(text.split()) >= 8:
            texts.append(text.replace(name, "").replace(subject, ""))
            subjects.append(subject)
train, test, y_train, y_test = train_test_split(
    texts, subjects, stratify=subjects, random_state=0
)

# %%
# Texts are cut off after 30 words. Token 0 is padding, which has no weight.
network = SequentialClassifier(
    [
        ("embedding", Embedding(2000, 24, padding_token=0)),
        ("dropout", Dropout(0.3)),
        ("pooling", AttentionPooling(16)),
    ],
    batch_size=16,
    learning_rate="one_cycle",
    learning_rate_init=0.01,
    max_iter=12,
    random_state=0,
)
tokens = TokenSequence(max_tokens=2000, max_length=30)
model = make_pipeline(tokens, network).fit(train, y_train)
print(f"accuracy on {len(test)} texts: {model.score(test, y_test):.2f}")

# %%
# On texts as few as these, frequencies of words and a linear model are a baseline that
# is hard to beat.
linear = make_pipeline(TfidfVectorizer(), LogisticRegression(C=10, max_iter=1000))
print(f"logistic regression: {linear.fit(train, y_train).score(test, y_test):.2f}")

# %%
# The weights of the words of four texts that are sorted correctly. Words that every
# docstring has weigh little.
words = {token: word for word, token in tokens.vocabulary_.items()}
predicted = model.predict(test)
fig, axes = plt.subplots(4, 1, figsize=(8, 7), layout="constrained")
for ax, subject in zip(axes, network.classes_, strict=True):
    is_right = (np.array(y_test) == subject) & (predicted == subject)
    text = [test[np.flatnonzero(is_right)[0]]]
    row = tokens.transform(text)[0].reshape(5, 6)
    weights = attention_weights(model, text, "pooling")[0].reshape(5, 6)
    ax.imshow(weights, cmap="Blues", vmin=0, vmax=2 * weights.max(), aspect="auto")
    for (i, j), token in np.ndenumerate(row):
        ax.text(j, i, words.get(token, "?" if token else ""), ha="center", va="center")
    ax.set(title=subject, xticks=[], yticks=[])
plt.show()
