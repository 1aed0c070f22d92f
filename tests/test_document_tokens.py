"""Raw documents to tokens of sentences."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

from skconvnet.text import DocumentTokens, TokenSequence

DOCUMENTS = [
    "The cat saw the dog. A dog saw the cat, the dog!",
    "Birds sing... Do they?",
    "",
]

# Of scikit-learn's checks those that need no data: it has none for texts.
CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimators_unfitted",
    "check_get_params_invariance",
    "check_no_attributes_set_in_init",
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_transformers_unfitted",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("check", CHECKS)
def test_estimator_contract(check):
    getattr(estimator_checks, check)("DocumentTokens", DocumentTokens())


def test_tokens_of_sentences():
    tokens = DocumentTokens()
    found = tokens.fit_transform(DOCUMENTS)
    assert list(tokens.vocabulary_) == [
        *("the", "dog", "cat", "saw", "birds", "do", "sing", "they")
    ]
    assert (tokens.n_sentences_, tokens.n_words_, tokens.n_tokens_) == (2, 6, 10)
    expected = [
        [[2, 4, 5, 2, 3, 0], [3, 5, 2, 4, 2, 3]],
        [[6, 8, 0, 0, 0, 0], [7, 9, 0, 0, 0, 0]],
        [[0] * 6, [0] * 6],
    ]
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.uint16
    again = pickle.loads(pickle.dumps(tokens))
    np.testing.assert_array_equal(again.transform(DOCUMENTS), found)


def test_long_documents_are_cut_off():
    tokens = DocumentTokens(max_sentences=1, max_words=3).fit(DOCUMENTS)
    expected = [[[2, 4, 5]], [[6, 8, 0]], [[0, 0, 0]]]
    np.testing.assert_array_equal(tokens.transform(DOCUMENTS), expected)
    more = DocumentTokens(20, 4, 9).fit_transform(DOCUMENTS)
    assert more.shape == (3, 4, 9)
    assert not more[:, 2:].any()
    # Words that are cut off count, as in TokenSequence.
    assert tokens.n_tokens_ == 10


def test_later_documents_have_the_sizes_of_those_in_fit():
    tokens = DocumentTokens().fit(["One two. Three."])
    found = tokens.transform(["Two two two two. Four. Three. One."])
    np.testing.assert_array_equal(found, [[[4, 4], [1, 0]]])


@pytest.mark.parametrize(
    ("document", "sentences"),
    [
        ("Is it? It is! So be it.", 3),
        ("A heading\n\nAnd a line\nof text", 2),
        ("Version 1.5 of np.dot", 1),
        ("Nothing ... . ! but words.", 2),
        ("?!", 0),
    ],
)
def test_what_ends_a_sentence(document, sentences):
    tokens = DocumentTokens(token_pattern=r"\w+").fit(["Some words.", document])
    (found,) = tokens.inverse_transform(tokens.transform([document]))
    # No document has fewer than one sentence here.
    assert len(found) == sentences


def test_other_ends_of_sentences():
    tokens = DocumentTokens(sentence_pattern=";")
    found = tokens.inverse_transform(tokens.fit_transform(["one two; three"]))
    assert found == [[["one", "two"], ["three"]]]
    tokens = DocumentTokens(sentence_splitter=str.splitlines)
    found = tokens.inverse_transform(tokens.fit_transform([b"one two\nthree"]))
    assert found == [[["one", "two"], ["three"]]]
    tokens = DocumentTokens(sentence_splitter=list)
    found = tokens.inverse_transform(tokens.fit_transform([["one two", "three"]]))
    assert found == [[["one", "two"], ["three"]]]


def test_a_splitter_sees_capitals():
    seen = []
    splitter = lambda text: seen.append(text) or [text]  # noqa: E731  short
    tokens = DocumentTokens(sentence_splitter=splitter).fit(["Two Words"])
    assert seen == ["Two Words"]
    assert list(tokens.vocabulary_) == ["two", "words"]


@pytest.mark.parametrize(
    "params",
    [
        {"min_df": 2},
        {"max_df": 0.5},
        {"stop_words": "english"},
        {"lowercase": False},
        {"ngram_range": (1, 2)},
        {"analyzer": str.split},
        {"tokenizer": str.split, "token_pattern": None},
        {"max_tokens": 4},
    ],
    ids=str,
)
def test_words_are_those_of_token_sequence(params):
    # Without an end of a sentence, a document is a row.
    texts = ["the cat saw the dog", "a dog saw the cat the dog", "Birds sing", "the"]
    rows, documents = TokenSequence(**params), DocumentTokens(**params)
    np.testing.assert_array_equal(
        documents.fit_transform(texts)[:, 0], rows.fit_transform(texts)
    )
    assert documents.vocabulary_ == rows.vocabulary_
    assert documents.n_sentences_ == 1


WORD = st.sampled_from("abcdefg")


@given(st.lists(st.lists(st.lists(WORD, min_size=1), max_size=5), min_size=1))
def test_inverse_gives_the_words_back(documents):
    if not any(documents):
        documents[0] = [["a"]]
    tokens = DocumentTokens(sentence_splitter=list, analyzer=list)
    found = tokens.fit_transform(documents)
    assert tokens.inverse_transform(found) == documents
    np.testing.assert_array_equal(
        clone(tokens).fit(documents).transform(documents), found
    )


@pytest.mark.parametrize(
    ("params", "documents", "message"),
    [
        ({}, "a lone string", "string object received"),
        ({}, ["", "?!"], "empty vocabulary"),
        ({}, [["words"]], "item 0 is .*, a list"),
        ({"max_words": 0}, DOCUMENTS, "'max_words' parameter .* Got 0"),
        ({"max_sentences": 1.5}, DOCUMENTS, "'max_sentences' parameter .* Got 1.5"),
        ({"sentence_pattern": None}, DOCUMENTS, "'sentence_pattern' parameter"),
        ({"sentence_splitter": "."}, DOCUMENTS, "'sentence_splitter' parameter"),
        ({"sentence_pattern": "(a"}, DOCUMENTS, r"expression .*'\(a', which is none"),
        ({"sentence_pattern": "(a)"}, DOCUMENTS, r"'\(a\)', which has a group"),
        ({"ngram_range": (2, 1)}, DOCUMENTS, r"ngram_range .* got \(2, 1\)"),
    ],
    ids=str,
)
def test_what_cannot_be_fitted(params, documents, message):
    tokens = DocumentTokens(**params)
    with pytest.raises(ValueError, match=message):
        tokens.fit(documents)
    assert not hasattr(tokens, "vocabulary_")


def test_inverse_needs_three_axes():
    tokens = DocumentTokens().fit(DOCUMENTS)
    with pytest.raises(ValueError, match=r"3 axes; got shape \(1, 2\)"):
        tokens.inverse_transform([[1, 2]])
    with pytest.raises(ValueError, match="n_tokens_ - 1 = 9; got values from 1 to 10"):
        tokens.inverse_transform([[[1, 10]]])


@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
def test_not_fitted(method):
    with pytest.raises(NotFittedError, match="DocumentTokens"):
        getattr(DocumentTokens(), method)(["two words"])
