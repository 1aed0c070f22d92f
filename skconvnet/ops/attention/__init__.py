"""Attention: for every step of a sequence, a weighted mean over steps.

=====================  =========================================================
`steps_last`           sequences in the layout in which samples are matrices
`projections`          queries, keys and values of all heads
`blocks`               cuts all pairs of queries and keys into blocks
`softmax`              turns a block of scores into weights, and hides keys
`dropout`              drops weights, and the same ones in the backward pass
`dot_product`          scores that are products of queries and keys
`additive`             scores by a hidden layer of tanh
=====================  =========================================================
"""
