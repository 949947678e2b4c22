"""CIDEr-D (Vedantam, Zitnick and Parikh, "CIDEr: Consensus-based Image Description Evaluation", CVPR 2015).

Words are not stemmed, as in the COCO caption server.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sememe.evaluate.captions.words import Ngram, ngrams, tokenized

ORDER = 4
SIGMA = 6.0
"""Width of the penalty on a difference in length, in words (section 6 of the paper)."""

Weights = dict[Ngram, float]


def cider_d(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Score (n,) of each candidate: tf-idf cosine of clipped n-grams, mean over n = 1 to 4, times 10.

    Parameters
    ----------
    candidates : sequence of n str
    references : sequence of n sequences of str
        What people wrote of the same picture. How rare an n-gram is, is counted over these: with one
        picture alone nothing is rare, and all scores are 0.

    Raises
    ------
    UsageError
        There is no candidate, or not one reference or more for each.
    """
    said, wanted = tokenized(candidates, references)
    totals = np.zeros(len(said))
    for n in range(1, ORDER + 1):
        seen: Counter[Ngram] = Counter()
        for texts in wanted:
            seen.update({gram for text in texts for gram in ngrams(text, n)})
        for row, (tokens, texts) in enumerate(zip(said, wanted, strict=True)):
            mine = _weights(ngrams(tokens, n), seen, len(wanted))
            scores = [
                _similarity(mine, _weights(ngrams(text, n), seen, len(wanted)))
                * math.exp(-((len(tokens) - len(text)) ** 2) / (2 * SIGMA**2))
                for text in texts
            ]
            totals[row] += sum(scores) / len(scores)
    found: NDArray[np.float64] = 10 * totals / ORDER
    return found


def _weights(counts: Counter[Ngram], seen: Counter[Ngram], pictures: int) -> Weights:
    """Term frequency times inverse document frequency; the constant 1 / length cancels in the cosine."""
    return {gram: count * math.log(pictures / max(1, seen[gram])) for gram, count in counts.items()}


def _similarity(mine: Weights, theirs: Weights) -> float:
    """Cosine in which a weight counts up to that of the reference, so that repetition gains nothing."""
    lengths = math.hypot(*mine.values()) * math.hypot(*theirs.values())
    if lengths == 0:
        return 0.0
    return (
        sum(min(weight, theirs[gram]) * theirs[gram] for gram, weight in mine.items() if gram in theirs)
        / lengths
    )
