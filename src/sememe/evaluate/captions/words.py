"""Sentences as words, and words as n-grams."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from sememe.errors import UsageError

Ngram = tuple[str, ...]

_WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


def words(sentence: str) -> list[str]:
    """Cut a sentence into lower-case words, without punctuation."""
    return _WORD.findall(sentence.lower())


def ngrams(tokens: Sequence[str], n: int) -> Counter[Ngram]:
    """Count runs of n words."""
    return Counter(tuple(tokens[at : at + n]) for at in range(len(tokens) - n + 1))


def tokenized(
    candidates: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[list[list[str]], list[list[list[str]]]]:
    """Cut candidates and references into words.

    Raises
    ------
    UsageError
        There is no candidate, or not one reference or more for each.
    """
    if not candidates or len(candidates) != len(references) or not all(references):
        raise UsageError("give one candidate or more, and for each of them one reference or more")
    return [words(text) for text in candidates], [[words(text) for text in texts] for texts in references]
