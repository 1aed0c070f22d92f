"""Names of modules in a state of PyTorch, modules that differ, and errors."""

import numpy as np
import pytest
from estimator_cases import data_for, make
from interop_tools import (
    IMAGE,
    N_TOKENS,
    TOKENS,
    as_tensors,
    assert_close,
    built,
    randomize,
    softmax,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import MLPClassifier
from skconvnet.interop import from_torch_state, to_torch_state
from skconvnet.layers import (
    GRU,
    BatchNorm,
    Conv1D,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    LayerNorm,
    LocallyConnected2D,
    Maxout,
    MaxPool2D,
    MultiHeadAttention,
    Parallel,
    PReLU,
    Reshape,
    Residual,
    SeparableConv2D,
    SpatiallySeparableConv2D,
    TimeDistributed,
    TransformerEncoder,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def nets(torch):
    """Return the builder of networks, which imports PyTorch."""
    assert torch.get_num_threads() == 1
    import torch_networks

    return torch_networks


def layers_with(**kinds):
    """Return an estimator with layers of these names."""
    return built(list(kinds.items()), IMAGE)


def test_names_of_our_layers_are_the_default():
    est, _ = layers_with(
        conv=Conv2D(4, 3),
        mix=Parallel([("a", Conv2D(2, 1)), ("b", [("one", Conv2D(1, 1))])]),
        res=Residual([("inner", SeparableConv2D(3, 1, 2))]),
        norm=BatchNorm(),
    )
    state = to_torch_state(est)
    assert list(state) == [
        "conv.weight",
        "conv.bias",
        "mix.a.conv2d.weight",
        "mix.a.conv2d.bias",
        "mix.b.one.weight",
        "mix.b.one.bias",
        "res.inner.depthwise.weight",
        "res.inner.pointwise.weight",
        "res.inner.pointwise.bias",
        "res.shortcut.projection.weight",
        "res.shortcut.projection.bias",
        "norm.weight",
        "norm.bias",
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
        "output.weight",
        "output.bias",
    ]
    assert state["norm.num_batches_tracked"].dtype == np.int64
    assert state["norm.num_batches_tracked"].shape == ()
    other, _ = built(est.layers, IMAGE, seed=4)
    mixed = {f"net.{name}": state[name] for name in sorted(state)}
    from_torch_state(other, mixed)  # by name, in any order
    for name, values in est.get_weights().items():
        np.testing.assert_array_equal(other.get_weights()[name], values)


def test_files_may_have_sorted_the_numbers_of_a_sequential_network():
    specs = [Dense(6, "tanh") for _ in range(11)]
    est, _ = built(specs, (6,))
    state = {}
    for i, values in enumerate(to_torch_state(est).items()):
        state[f"net.{i // 2}.{values[0].rpartition('.')[2]}"] = values[1]
    other, _ = built(specs, (6,), seed=4)
    from_torch_state(other, dict(sorted(state.items())))
    np.testing.assert_array_equal(other.network_.vector, est.network_.vector)


def test_some_layers_by_name():
    est, _ = layers_with(conv=Conv2D(4, 3), sep=SeparableConv2D(4, 2), end=Conv2D(2, 1))
    theirs, _ = built(est.layers, IMAGE, seed=4)
    before = est.get_weights()
    names = {"sep": ("body.3", "body.4"), "conv": "stem"}
    state = to_torch_state(theirs, names=names)
    assert list(state) == [
        "body.3.weight",
        "body.4.weight",
        "body.4.bias",
        "stem.weight",
        "stem.bias",
    ]
    from_torch_state(est, {**state, "head.weight": np.zeros(3)}, names=names)
    for name, values in est.get_weights().items():
        same = theirs.get_weights() if name.startswith(("conv", "sep")) else before
        np.testing.assert_array_equal(values, same[name])
    assert next(iter(to_torch_state(est, names={"sep": "s"}))) == "s.depthwise.weight"
    assert list(to_torch_state(est, names={"end": ""})) == ["weight", "bias"]


def test_modules_without_bias_or_weights(torch, nets):
    specs = [Conv2D(4, 3), BatchNorm(), Flatten(), Dense(5), LayerNorm()]
    est, X = built(specs, IMAGE)
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False),
        nn.BatchNorm2d(4, affine=False),
        nn.Flatten(),
        nn.Linear(96, 5, bias=False),
        nn.LayerNorm(5, bias=False),
        nn.Linear(5, 3),
    ).double()
    randomize(torch, network)
    with pytest.raises(ValueError, match=r"'0.bias' is not in it.*'conv2d' needs it"):
        to_torch_state(est, like=network.state_dict())
    from_torch_state(est, network.state_dict())
    assert_close(est.decision_function(X), nets.predict(network, X))
    assert not est.get_weights()["conv2d/bias"].any()
    assert (est.get_weights()["batchnorm/gamma"] == 1).all()
    state = to_torch_state(est, like=network.state_dict())
    assert list(state) == list(network.state_dict())


@pytest.mark.parametrize("biases", [(True, True), (True, False), (False, False)])
def test_a_bias_inside_a_separable_convolution(torch, nets, biases):
    est, X = built([SeparableConv2D(5, 3, padding="same")], IMAGE)
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=biases[0]),
        nn.Conv2d(3, 5, 1, bias=biases[1]),
        nn.Flatten(),
        nn.Linear(240, 3),
    ).double()
    randomize(torch, network)
    from_torch_state(est, network.state_dict())
    assert_close(est.decision_function(X), nets.predict(network, X))
    if biases[1]:
        state = to_torch_state(est, like=network.state_dict())
        randomize(torch, network)
        network.load_state_dict(as_tensors(torch, state))
        assert_close(nets.predict(network, X), est.decision_function(X))


def test_a_bias_between_two_padded_convolutions_is_refused():
    est, _ = built([SpatiallySeparableConv2D(2, 3, padding="same")], IMAGE)
    state = to_torch_state(est)
    key = "spatiallyseparableconv2d.vertical.bias"
    refused(est, state | {key: np.ones(2)}, "bias=False")
    from_torch_state(est, state | {key: np.zeros(2)})


def test_two_outputs_of_a_softmax_for_two_classes(torch, nets):
    est, X = built([Conv2D(4, 3)], IMAGE, n_classes=2)
    nn = torch.nn
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(96, 2)).double()
    state = to_torch_state(est, like=network.state_dict())
    network.load_state_dict(as_tensors(torch, state))
    assert_close(softmax(nets.predict(network, X)), est.predict_proba(X))
    randomize(torch, network)
    from_torch_state(est, network.state_dict())
    assert_close(est.predict_proba(X), softmax(nets.predict(network, X)))


def test_one_slope_for_all_channels(torch, nets):
    est, X = built([Conv2D(4, 3), PReLU()], IMAGE)
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.PReLU(), nn.Flatten(), nn.Linear(96, 3)
    ).double()
    with pytest.raises(ValueError, match=r"'1.weight' has shape \(1,\).*gives \(4,\)"):
        to_torch_state(est, like=network.state_dict())
    from_torch_state(est, network.state_dict())
    assert_close(est.decision_function(X), nets.predict(network, X))
    assert to_torch_state(est, like=network.state_dict())["1.weight"].shape == (1,)


def test_the_vector_of_padding():
    est, _ = built([Embedding(N_TOKENS, 4, padding_token=0), GlobalMaxPool()], TOKENS)
    assert est.get_weights()["embedding/table"][0].any()
    state = to_torch_state(est)
    assert not state["embedding.weight"][0].any()
    from_torch_state(est, state)
    state["embedding.weight"][0, 1] = 1
    refused(est, state, "padding_token=0", "Set it to zero")


@pytest.mark.parametrize("kind", ["gradient", "bfloat16", "double", "list"])
def test_tensors_of_any_kind(torch, kind):
    est, _ = built([Conv2D(4, 3)], IMAGE, "float32")
    arrays = to_torch_state(est)
    change = {
        "gradient": lambda t: t.requires_grad_(),
        "bfloat16": lambda t: t.bfloat16(),
        "double": lambda t: t.double(),
        "list": lambda t: t.tolist(),
    }[kind]
    state = {name: change(torch.from_numpy(a.copy())) for name, a in arrays.items()}
    from_torch_state(est, state)
    for name, values in to_torch_state(est).items():
        np.testing.assert_allclose(values, arrays[name], rtol=2**-8, atol=0)


def refused(est, state, *words, error=ValueError, **options):
    before, attributes = est.network_.state.copy(), dict(vars(est))
    with pytest.raises(error) as caught:
        from_torch_state(est, state, **options)
    for word in words:
        assert word in str(caught.value), f"{word!r} not in {caught.value}"
    np.testing.assert_array_equal(est.network_.state, before)
    assert vars(est) == attributes


def test_all_that_does_not_fit_is_listed():
    est, _ = layers_with(conv=Conv2D(4, 3), norm=BatchNorm())
    state = to_torch_state(est)
    state["conv.weight"] = np.zeros((4, 3, 5, 5))
    state["norm.other"] = np.zeros(4)
    del state["norm.running_var"]
    refused(
        est,
        state,
        "'weight' must have shape (4, 3, 3, 3), but has shape (4, 3, 5, 5)",
        "layer 'norm' (BatchNorm2d) has 'other'",
        "has no 'running_var'",
        "No weight was changed",
    )
    del state["output.weight"], state["output.bias"]
    told = "has 2 modules with arrays, but the network needs 3", "output (Linear)"
    refused(est, state, *told, "names={layer: module}")
    with pytest.raises(ValueError, match="has 2 modules"):
        to_torch_state(est, like=state)


def test_wrong_arguments():
    est, _ = layers_with(conv=Conv2D(4, 3))
    state = to_torch_state(est)
    refused(est, state, "names has 'cnov'", "'conv'?", names={"cnov": "a"})
    refused(est, state, "names has 'x'", "'output'", names={"conv": "x"})
    refused(est, state, "names must be a mapping", names=["conv"], error=TypeError)
    refused(est, state, "names['conv'] must be", names={"conv": ("a", "b")})
    refused(est, state, "names['conv'] must be", names={"conv": (3,)})
    both = {"conv": "output", "output": "output"}
    refused(est, state, "got 'output' twice", names=both)
    with pytest.raises(TypeError, match="like must be a mapping"):
        to_torch_state(est, like=[1])
    refused(est, [1], "state must be a mapping", "list", error=TypeError)
    refused(est, state | {"conv.bias": None}, "'conv.bias'", error=TypeError)
    refused(est, state | {"conv.bias": ["a"] * 4}, "real numbers", error=TypeError)
    refused(est, state | {"conv.bias": [np.nan] * 4}, "conv/bias", "NaN")


def test_what_is_passed_in_place_of_a_state_or_an_estimator(torch):
    est, _ = layers_with(conv=Conv2D(4, 3))
    refused(est, torch.nn.Linear(3, 2), "network.state_dict()", error=TypeError)
    with pytest.raises(TypeError, match=r"pipeline\[-1\]"):
        to_torch_state(make_pipeline(StandardScaler(), est))
    with pytest.raises(TypeError, match="got Ridge"):
        to_torch_state(Ridge())
    with pytest.raises(NotFittedError, match=r"initialize\(X, y\)"):
        from_torch_state(clone(est), to_torch_state(est))
    search = GridSearchCV(est, {"alpha": [0.1]})
    search.best_estimator_ = est
    with pytest.raises(TypeError, match="Pass best_estimator_"):
        to_torch_state(search)


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        ([LocallyConnected2D(2, 3)], ["'locallyconnected2d'", "kernel", "PyTorch"]),
        ([Reshape((8, 9, 2)), Conv2D(2, 3)], ["'conv2d'", "Reshape"]),
        ([Flatten(), Reshape((4, 6, 6)), MaxPool2D(2)], ["'maxpool2d'"]),
        ([Flatten(), Maxout(2)], ["'maxout'"]),
        (
            [Flatten(), Parallel([("a", Reshape((8, 18))), ("b", Reshape((8, 18)))])],
            ["'parallel'", "branches"],
        ),
        (
            [TimeDistributed([Conv1D(4, 2), Flatten()]), GRU(3)],
            ["'gru'", "another order"],
        ),
    ],
)
def test_networks_that_cannot_be_converted(specs, words):
    est, _ = built(specs, IMAGE)
    for word in words:
        with pytest.raises(ValueError, match="cannot be converted") as caught:
            to_torch_state(est)
        assert word in str(caught.value)


def test_the_next_fit_starts_from_these_weights():
    X, y = data_for(MLPClassifier)
    other = make(MLPClassifier, random_state=3).fit(X, y)
    state = to_torch_state(other)
    est = from_torch_state(make(MLPClassifier).initialize(X, y), state)
    np.testing.assert_array_equal(est.predict_proba(X), other.predict_proba(X))
    given = make(MLPClassifier).initialize(X, y).set_weights(other.get_weights())
    for model in (est.fit(X, y), given.fit(X, y)):
        np.testing.assert_array_equal(model.network_.vector, given.network_.vector)


def test_an_encoder_block_is_pytorchs_module_by_module():
    specs = [("block", TransformerEncoder(2, 5)), ("mean", GlobalAvgPool())]
    est, _ = built(specs, (6, 4))
    state = to_torch_state(est)
    assert {name: array.shape for name, array in state.items()} == {
        "block.attention.in_proj_weight": (12, 4),
        "block.attention.in_proj_bias": (12,),
        "block.attention.out_proj.weight": (4, 4),
        "block.attention.out_proj.bias": (4,),
        "block.dense1.weight": (5, 4),
        "block.dense1.bias": (5,),
        "block.dense2.weight": (4, 5),
        "block.dense2.bias": (4,),
        "block.norm1.weight": (4,),
        "block.norm1.bias": (4,),
        "block.norm2.weight": (4,),
        "block.norm2.bias": (4,),
        "output.weight": (3, 4),
        "output.bias": (3,),
    }
    weights = est.get_weights()
    key = weights["block/attention/key_kernel"]
    found = state["block.attention.in_proj_weight"]
    np.testing.assert_array_equal(found[4:8], key.T)


def test_a_part_of_an_encoder_block_by_name():
    specs = [TransformerEncoder(2, 5), GlobalAvgPool()]
    est, _ = built(specs, (6, 4))
    theirs, _ = built(specs, (6, 4), seed=4)
    names = {"transformerencoder/attention": "layers.0.self_attn"}
    state = to_torch_state(theirs, names=names)
    assert next(iter(state)) == "layers.0.self_attn.in_proj_weight"
    before = est.get_weights()
    from_torch_state(est, state, names=names)
    for name, values in est.get_weights().items():
        same = theirs.get_weights() if "attention" in name else before
        np.testing.assert_array_equal(values, same[name])


def test_attention_of_another_size_is_told_once():
    specs = [("own", MultiHeadAttention(2, 2)), ("mean", GlobalAvgPool())]
    est, _ = built(specs, (6, 4))
    state = to_torch_state(est)
    state["own.in_proj_weight"] = np.zeros((4, 4))
    with pytest.raises(ValueError, match=r"must have shape \(12, 4\)") as caught:
        from_torch_state(est, state)
    assert str(caught.value).count("in_proj_weight") == 1


def test_heads_that_pytorch_does_not_have_are_refused():
    specs = [("own", MultiHeadAttention(2, 3)), ("mean", GlobalAvgPool())]
    est, _ = built(specs, (6, 4))
    with pytest.raises(
        ValueError, match=r"'own' cannot be converted: .* features, here 2"
    ):
        to_torch_state(est)
