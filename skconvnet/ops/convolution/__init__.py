"""Algorithms that compute a convolution, and the choice among them.

Read the files in this order: `reference.py` shows what a convolution is, `algorithm.py`
what all algorithms have in common, `im2col.py` the algorithm that works in every case,
and `selection.py` and `cost_model.py` which algorithm is used when.
"""
