"""BLEU of a corpus (Papineni, Roukos, Ward and Zhu, ACL 2002, sections 2.1 to 2.3), without smoothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from sememe.evaluate.captions.words import Ngram, ngrams, tokenized


def bleu(candidates: Sequence[str], references: Sequence[Sequence[str]], *, order: int = 4) -> float:
    """Geometric mean of the corpus's clipped n-gram precisions, times a penalty for brevity.

    Parameters
    ----------
    candidates : sequence of n str
    references : sequence of n sequences of str
        What people wrote of the same picture, one or more.
    order : int
        Longest n-gram.

    Returns
    -------
    float
        In [0, 1]; 0 if any precision is 0.

    Raises
    ------
    UsageError
        There is no candidate, or not one reference or more for each.
    """
    said, wanted = tokenized(candidates, references)
    length = sum(map(len, said))
    closest = sum(_closest(len(tokens), texts) for tokens, texts in zip(said, wanted, strict=True))
    precisions = [_precision(said, wanted, n) for n in range(1, order + 1)]
    if min(precisions) == 0:
        return 0.0
    brevity = min(0.0, 1 - closest / length)
    return math.exp(brevity + sum(map(math.log, precisions)) / order)


def _precision(said: list[list[str]], wanted: list[list[list[str]]], n: int) -> float:
    matched = total = 0
    for tokens, texts in zip(said, wanted, strict=True):
        counts = ngrams(tokens, n)
        most: Counter[Ngram] = Counter()
        for text in texts:
            most |= ngrams(text, n)
        matched += (counts & most).total()
        total += counts.total()
    return matched / total if total else 0.0


def _closest(length: int, texts: list[list[str]]) -> int:
    """Length of the reference nearest to that of the candidate, the shorter of two as near."""
    return min((abs(len(text) - length), len(text)) for text in texts)[1]
