"""A padded batch of samples of different lengths against each sample alone."""

import numpy as np

from skconvnet.layers.chain import Chain
from skconvnet.ops.workspace import Workspace


def both_passes(spec, xs, weights, pad_to=None, train=False):
    """Run samples through a layer at once, padded if their lengths differ.

    Returns
    -------
    ys, dxs : list of ndarray
        Of each sample, without padding.
    gradients : dict of str to ndarray
    buffers : dict of str to ndarray
    """
    lengths = np.array([len(x) for x in xs])
    longest = max(lengths) if pad_to is None else pad_to
    padded = np.zeros((len(xs), longest, *xs[0].shape[1:]))
    for row, x in zip(padded, xs, strict=True):
        row[: len(x)] = x
    chain = Chain([("layer", spec)], padded.shape[1:])
    chain.bind(
        {name: weights[name].copy() for name in chain.weight_shapes},
        chain.initial_buffers(),
    )
    axes = (padded.ndim - 1, *range(1, padded.ndim - 1), 0)
    x = np.ascontiguousarray(padded.transpose(axes))
    own = None if all(lengths == longest) else lengths
    workspaces = chain.workspaces(Workspace())
    after = chain.lengths_after(x, own)
    y, caches = chain.forward(
        x,
        train=train,
        rng=np.random.default_rng(0),
        workspaces=workspaces,
        lengths=own,
    )
    ys = _samples(y, after)
    dys = np.zeros_like(y)
    for dy, y_own in zip(_samples(dys, after), ys, strict=True):
        dy[...] = np.cos(np.arange(y_own.size)).reshape(y_own.shape) * len(y_own)
    gradients = {
        name: np.full(shape, np.nan) for name, shape in chain.weight_shapes.items()
    }
    dx = chain.backward(
        dys,
        caches,
        gradients=chain.split_gradients(gradients),
        workspaces=workspaces,
        need_dx=True,
    )
    buffers = chain.layers["layer"].buffers
    return [y.copy() for y in ys], _samples(dx, own), gradients, buffers


def _samples(x, lengths):
    """View each sample, channels last, without its padding."""
    samples = np.moveaxis(x, (0, -1), (-1, 0)) if x.ndim > 2 else x.T
    if lengths is None:
        return list(samples)
    return [own[:n] for own, n in zip(samples, lengths, strict=True)]


def assert_padding_changes_nothing(spec, xs, *, rtol=1e-10, atol=1e-12):
    """Assert that samples give the same padded to one length as each of them alone.

    Samples of length 0 must give zeros and no gradients.
    """
    shape = (max(map(len, xs)), *xs[0].shape[1:])
    chain = Chain([("layer", spec)], shape)
    rng = np.random.default_rng(0)
    weights = {n: rng.normal(size=s) for n, s in chain.weight_shapes.items()}
    longer = shape[0] + 2
    ys, dxs, gradients, _ = both_passes(spec, xs, weights, longer)
    total = {name: np.zeros_like(own) for name, own in gradients.items()}
    for x, y, dx in zip(xs, ys, dxs, strict=True):
        assert dx.shape == x.shape
        if not len(x):
            assert not y.any()
            continue
        (one_y,), (one_dx,), one, _ = both_passes(spec, [x], weights)
        np.testing.assert_allclose(y, one_y, rtol=rtol, atol=atol)
        np.testing.assert_allclose(dx, one_dx, rtol=rtol, atol=atol)
        for name, values in one.items():
            total[name] += values
    for name, values in gradients.items():
        np.testing.assert_allclose(values, total[name], rtol=rtol, atol=1e-10)
