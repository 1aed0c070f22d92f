"""Algorithms that compute a convolution, and the choice among them.

To read in this order: `reference.py`, what a convolution is; `algorithm.py`, what all
algorithms have in common; `im2col.py`, the one for every case; `selection.py` and
`cost_model.py`, which algorithm is used when.
"""
