"""Conversion of raw texts to tokens, the input of an Embedding."""

from skconvnet.text.document_tokens import DocumentTokens
from skconvnet.text.token_sequence import TokenSequence

__all__ = ["DocumentTokens", "TokenSequence"]
