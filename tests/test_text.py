"""Raw texts to rows of tokens, and pipelines that start from raw texts."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import estimator_checks

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv1D, Embedding, GlobalMaxPool
from skconvnet.text import TokenSequence

TEXTS = [
    "The cat saw the dog.",
    "A dog saw the cat, the dog!",
    "Birds sing",
    "",
]


# Those of scikit-learn's checks that do not fit to rows of numbers: for estimators that
# take texts, check_estimator itself runs none.
CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_get_feature_names_out_error",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_transformers_unfitted",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("check", CHECKS)
def test_estimator_contract(check):
    getattr(estimator_checks, check)("TokenSequence", TokenSequence())


def test_vocabulary_is_by_frequency_then_alphabet():
    tokens = TokenSequence().fit(TEXTS)
    words = ["the", "dog", "cat", "saw", "birds", "sing"]
    assert list(tokens.vocabulary_.items()) == list(
        zip(words, range(2, 8), strict=True)
    )
    assert tokens.n_tokens_ == 8
    assert tokens.length_ == 6


def test_rows():
    rows = TokenSequence().fit_transform(TEXTS)
    expected = [[2, 4, 5, 2, 3, 0], [3, 5, 2, 4, 2, 3], [6, 7] + [0] * 4, [0] * 6]
    np.testing.assert_array_equal(rows, expected)
    assert rows.dtype == np.uint16


@pytest.mark.parametrize(
    ("padding", "truncating", "expected"),
    [
        ("post", "post", [[2, 4, 5], [6, 7, 0]]),
        ("pre", "post", [[2, 4, 5], [0, 6, 7]]),
        ("post", "pre", [[5, 2, 3], [6, 7, 0]]),
        ("pre", "pre", [[5, 2, 3], [0, 6, 7]]),
    ],
)
def test_padding_and_truncating(padding, truncating, expected):
    tokens = TokenSequence(max_length=3, padding=padding, truncating=truncating)
    rows = tokens.fit_transform(TEXTS)
    assert tokens.length_ == 3
    np.testing.assert_array_equal(rows[[0, 2]], expected)
    assert not rows[3].any()


def test_longer_texts_are_cut_later():
    tokens = TokenSequence().fit(["one two"])
    np.testing.assert_array_equal(tokens.transform(["two one two one"]), [[3, 2]])


def test_words_beyond_the_vocabulary_are_unknown():
    tokens = TokenSequence(max_tokens=4).fit(TEXTS)
    assert tokens.vocabulary_ == {"the": 2, "dog": 3}
    assert tokens.n_tokens_ == 4
    rows = tokens.transform(["the new dog saw"])
    np.testing.assert_array_equal(rows[0, :4], [2, 1, 3, 1])
    assert tokens.transform(TEXTS).max() == 3
    assert TokenSequence(max_tokens=100).fit(TEXTS).n_tokens_ == 8


@pytest.mark.parametrize(("n", "dtype"), [(2**16 - 2, "uint16"), (2**16 - 1, "int32")])
def test_dtype_holds_all_tokens(n, dtype):
    text = " ".join(map(str, range(n)))
    tokens = TokenSequence(None, 1, analyzer=str.split).fit([text])
    rows = tokens.transform([str(word) for word in tokens.vocabulary_])
    assert tokens.n_tokens_ == n + 2
    assert rows.dtype == dtype
    assert rows.max() == n + 1


@pytest.mark.parametrize(
    "params",
    [
        {"min_df": 2},
        {"max_df": 1},
        {"min_df": 0.3, "max_df": 0.6},
        {"stop_words": ["the", "dog"]},
        {"stop_words": "english"},
        {"lowercase": False},
        {"ngram_range": (1, 2)},
        {"ngram_range": (2, 3), "stop_words": ["the"]},
        {"analyzer": "char", "ngram_range": (2, 4)},
        {"analyzer": "char_wb", "ngram_range": (3, 3)},
        {"analyzer": str.split},
        {"tokenizer": str.split, "token_pattern": None},
        {"token_pattern": r"\w+|[.!]"},
        {"preprocessor": str.upper},
        {"strip_accents": "unicode"},
    ],
    ids=str,
)
def test_words_are_those_that_countvectorizer_counts(params):
    texts = [*TEXTS, "Le café, the café"]
    theirs = CountVectorizer(**params)
    counts = theirs.fit_transform(texts).toarray()
    ours = TokenSequence(**params)
    rows = ours.fit_transform(texts)
    assert set(ours.vocabulary_) == set(theirs.vocabulary_)
    for word, token in ours.vocabulary_.items():
        column = counts[:, theirs.vocabulary_[word]]
        np.testing.assert_array_equal((rows == token).sum(axis=1), column)
    totals = [counts[:, theirs.vocabulary_[w]].sum() for w in ours.vocabulary_]
    assert totals == sorted(totals, reverse=True)


def test_pairs_of_words_follow_the_words():
    tokens = TokenSequence(ngram_range=(1, 2)).fit(["one two three"])
    expected = [["one", "two", "three", "one two", "two three"]]
    assert tokens.inverse_transform(tokens.transform(["one two three"])) == expected


def test_bytes_are_decoded():
    text = "Grüße nach Köln"
    tokens = TokenSequence(encoding="latin-1").fit([text.encode("latin-1")])
    assert list(tokens.vocabulary_) == ["grüße", "köln", "nach"]
    with pytest.raises(UnicodeDecodeError):
        TokenSequence().fit([text.encode("latin-1")])


def test_callables_may_take_other_things_than_texts():
    tokens = TokenSequence(analyzer=tuple).fit([["a", "b"], ["b"]])
    np.testing.assert_array_equal(tokens.transform([["b", "a"]]), [[2, 3]])
    tokens = TokenSequence(preprocessor=lambda record: record["text"])
    assert tokens.fit([{"text": "two words"}]).length_ == 2
    # What comes as an iterator is gone through once.
    tokens = TokenSequence(analyzer=lambda text: iter(text.split()))
    assert tokens.fit_transform(iter(["b b a", "a b"])).tolist() == [
        [2, 2, 3],
        [3, 2, 0],
    ]


@given(
    st.lists(st.lists(st.sampled_from("abcdefg"), max_size=6), min_size=1, max_size=8),
    st.sampled_from(["pre", "post"]),
)
def test_inverse_gives_the_words_back(texts, padding):
    if not any(texts):
        texts[0] = ["a"]
    tokens = TokenSequence(analyzer=list, padding=padding)
    rows = tokens.fit_transform(texts)
    assert tokens.inverse_transform(rows) == texts
    np.testing.assert_array_equal(tokens.transform(texts), rows)
    np.testing.assert_array_equal(clone(tokens).fit(texts).transform(texts), rows)


def test_inverse_of_unknown_words():
    tokens = TokenSequence().fit(["one two"])
    assert tokens.inverse_transform([[1, 2], [0, 1.0]]) == [["[UNK]", "one"], ["[UNK]"]]


@pytest.mark.parametrize("value", [4, -1, 1.5])
def test_inverse_of_what_is_no_token(value):
    tokens = TokenSequence().fit(["one two"])
    with pytest.raises(ValueError, match=f"n_tokens_ - 1 = 3; got .*{value}"):
        tokens.inverse_transform([[value, value]])


def test_names_and_dataframes():
    frame = pd.DataFrame({"text": TEXTS}, index=[5, 6, 7, 8])
    tokens = TokenSequence(max_length=2).set_output(transform="pandas")
    rows = tokens.fit_transform(frame["text"])
    assert list(rows.columns) == ["tokensequence0", "tokensequence1"]
    assert list(tokens.get_feature_names_out()) == list(rows.columns)
    np.testing.assert_array_equal(
        rows, TokenSequence(max_length=2).fit_transform(TEXTS)
    )
    assert (rows.dtypes == np.uint16).all()
    by_column = ColumnTransformer([("tokens", TokenSequence(max_length=2), "text")])
    np.testing.assert_array_equal(by_column.fit_transform(frame), rows)


@pytest.mark.parametrize("texts", ["a lone string", b"bytes"])
def test_lone_string(texts):
    for call in (TokenSequence().fit, TokenSequence().fit(["two words"]).transform):
        with pytest.raises(ValueError, match=r"string object received.*into a list"):
            call(texts)


@pytest.mark.parametrize("texts", [pd.DataFrame({"t": TEXTS}), np.array([TEXTS])])
def test_two_axes(texts):
    with pytest.raises(ValueError, match=r"one-dimensional.*shape .*X\['text'\]"):
        TokenSequence().fit(texts)


@pytest.mark.parametrize("item", [None, np.nan, 3, ["words"]])
def test_items_that_are_no_texts(item):
    with pytest.raises(ValueError, match=r"but item 1 is .*, a "):
        TokenSequence().fit(["two words", item])


@pytest.mark.parametrize(
    ("params", "texts", "message"),
    [
        ({}, ["", "a"], "empty vocabulary"),
        ({"stop_words": "english"}, ["the", "and"], "empty vocabulary"),
        ({"min_df": 3}, ["one", "two"], "no terms remain.*min_df=3.*2 texts"),
        ({}, [], "0 sample"),
        ({"ngram_range": (2, 1)}, TEXTS, r"ngram_range .* got \(2, 1\)"),
        ({"ngram_range": (0, 1)}, TEXTS, r"ngram_range .* got \(0, 1\)"),
        ({"max_tokens": 2}, TEXTS, "'max_tokens' parameter .* Got 2"),
        ({"max_length": 0}, TEXTS, "'max_length' parameter .* Got 0"),
        ({"padding": "left"}, TEXTS, "'padding' parameter .* Got 'left'"),
        ({"truncating": None}, TEXTS, "'truncating' parameter .* Got None"),
        ({"analyzer": "words"}, TEXTS, "'analyzer' parameter .* Got 'words'"),
        ({"min_df": 1.5}, TEXTS, "'min_df' parameter .* Got 1.5"),
    ],
    ids=str,
)
def test_what_cannot_be_fitted(params, texts, message):
    tokens = TokenSequence(**params)
    with pytest.raises(ValueError, match=message):
        tokens.fit(texts)
    assert not hasattr(tokens, "vocabulary_")


@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
def test_not_fitted(method):
    with pytest.raises(NotFittedError, match="TokenSequence"):
        getattr(TokenSequence(), method)(["two words"])


WORDS = ["red", "green", "blue", "black", "white", "gray", "pink"]


@pytest.fixture(scope="module")
def reports():
    """Texts that say whether it was won or lost, among other words."""
    rng = np.random.default_rng(0)
    y = rng.choice(["good", "bad"], 240)
    verdict = {"good": "not lost", "bad": "lost not"}
    texts = []
    for label in y:
        words = list(rng.choice(WORDS, rng.integers(3, 9)))
        words.insert(rng.integers(len(words)), verdict[label])
        texts.append(" ".join(words))
    return texts, y


def text_cnn():
    net = SequentialClassifier(
        layers=[
            ("words", Embedding(20, 8, padding_token=0)),
            ("conv", Conv1D(8, 2, activation="relu")),
            ("pool", GlobalMaxPool()),
        ],
        batch_size=16,
        learning_rate_init=0.02,
        max_iter=40,
        tol=0.01,
        n_iter_no_change=3,
        random_state=0,
    )
    return Pipeline([("tokens", TokenSequence(20, 12)), ("net", net)])


def test_pipeline_from_raw_strings(reports):
    texts, y = reports
    model = text_cnn().fit(texts[:180], y[:180])
    assert model.score(texts[180:], y[180:]) == 1.0
    assert model["net"].network_.dtype == np.float32
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        again.predict_proba(texts), model.predict_proba(texts)
    )
    assert list(model.predict(["blue not lost pink", "lost not red"])) == [
        "good",
        "bad",
    ]


def test_search_from_raw_strings(reports):
    texts, y = reports
    grid = {"tokens__padding": ["pre", "post"], "net__words__n_dims": [4, 8]}
    search = GridSearchCV(text_cnn(), grid, cv=2).fit(texts, y)
    assert search.best_score_ > 0.9


def test_error_names_what_to_change_where_the_table_is_too_small(reports):
    model = text_cnn().set_params(tokens__max_tokens=None, net__words__n_tokens=5)
    with pytest.raises(ValueError, match=r"n_tokens=5 .*TokenSequence\(max_tokens=5\)"):
        model.fit(*reports)


def test_beyond_uint16_float32_is_a_choice():
    texts = [" ".join(map(str, range(i, 70_000, 2))) for i in (0, 1)]
    tokens = TokenSequence(max_length=4, analyzer=str.split)
    layers = [Embedding(70_002, 2, padding_token=0, reduce="mean")]
    for dtype, expected in (("auto", "float64"), ("float32", "float32")):
        net = SequentialClassifier(layers, dtype=dtype, max_iter=2, tol=1.0)
        model = make_pipeline(tokens, net.set_params(n_iter_no_change=1, max_iter=9))
        model.fit(texts, [0, 1])
        assert model[-1].network_.dtype == expected
