"""A caption composed of concepts: as special as is sure, as long as the picture pays for.

::

    scores of all words ─softmax─► shares ─sum over the tree─► confidence of "a dog", "an animal"
    down from the top, the likelier branch each time, while it is more likely right than wrong
    picture minus what the concept explains ─scores of settings and styles─► "on a beach"

Climbing to where a general word is sure enough is the hedging of Deng et al. (CVPR 2012, "Hedging your
bets"); explaining a vector by one word, then its rest by the next, is orthogonal matching pursuit (Pati et
al., 1993), as SpLiCE (Bhalla et al., 2024) does with CLIP vectors. Scores are those of `metrics.calibration`:
above what the same picture gives to all words, and above what typical pictures give to the same word.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sememe.caption.captions import LIKELY, NO_IDEA, SURE, Caption, Claim
from sememe.caption.certainty import Certainty
from sememe.caption.vocabulary import Vocabulary
from sememe.caption.words import OPENING, STYLES
from sememe.errors import VectorError
from sememe.metrics import unit_rows
from sememe.metrics.calibration import Background, Query, Term
from sememe.types import Embeddings

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Composer:
    """A vocabulary in one space, ready to caption any number of vectors."""

    vocabulary: Vocabulary
    background: Background
    """Typical pictures, and the vocabulary itself as the texts that chance is measured with."""
    certainty: Certainty

    @classmethod
    def of(cls, vocabulary: Vocabulary, typical: Embeddings, certainty: Certainty) -> Composer:
        """Measure chance with vectors (b, d) of typical pictures.

        Raises
        ------
        VectorError
            The vocabulary is of another space: its vectors are of another length.
        """
        if vocabulary.dim != typical.shape[1]:
            raise VectorError(
                f"the vocabulary holds vectors of {vocabulary.dim} dimensions, the codes' space has "
                f"{typical.shape[1]}; embed the words with the backbone that embedded the pictures"
            )
        return cls(vocabulary, Background.of(images=typical, texts=vocabulary.vectors), certainty)

    def caption(self, x: Embeddings, *, alternatives: int = 0) -> list[tuple[Caption, ...]]:
        """Caption each of (n, d) decoded vectors; the best caption first, then that many others at most."""
        confidences = self.certainty.of_concepts(self.shares(x))
        centred = self.background.centre(x, "image")
        return [
            self._captions(row, confidence, alternatives)
            for row, confidence in zip(centred, confidences, strict=True)
        ]

    def shares(self, x: Embeddings) -> Floats:
        """Share (n, c) of each concept, everything below it included, before it is calibrated.

        A softmax of calibrated scores over the concepts that have vectors, weighted by the tree's prior, and
        summed up the tree.
        """
        tree = self.vocabulary.tree
        scores = self.background.score(self._queries, x)[0].T.astype(np.float64)
        logits = self.certainty.scale * scores + np.log(tree.prior[tree.known])
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Floats = powers / powers.sum(axis=1, keepdims=True) @ tree.above[tree.known]
        return shares

    def path(self, confidence: Floats) -> list[int]:
        """Rows from the top down, the likeliest child each time, for confidences (c,) of all concepts."""
        tree, row, found = self.vocabulary.tree, -1, []
        while len(children := tree.children(row)):
            row = int(children[np.argmax(confidence[children])])
            found.append(row)
        return found

    def additions(self, x: Floats32, row: int) -> Floats:
        """Score (a,) settings and styles for what a concept leaves unexplained of a centred vector (d,)."""
        concept = self._direction(row)
        rest, typical = _without(x[None], concept), _without(self.background.samples["image"], concept)
        words = _without(self.background.samples["text"], concept)
        wanted = _without(self._addition_vectors, concept)
        nulls = rest @ words.T
        cosines = (rest @ wanted.T)[0]
        by_picture = (cosines - nulls.mean()) / max(float(nulls.std()), 1e-3)
        common = max(float((typical @ words.T).std()), 1e-3)
        by_word = (cosines - np.median(typical @ wanted.T, axis=0)) / common
        scores: Floats = ((by_picture + by_word) / 2).astype(np.float64)
        return scores

    def _captions(self, x: Floats32, confidence: Floats, alternatives: int) -> tuple[Caption, ...]:
        path = self.path(confidence)
        said = [row for row in path if confidence[row] >= LIKELY]
        if not said:
            best = Caption(NO_IDEA, float(confidence[path[0]]))
        else:
            best = self._told(said, confidence, self._added(x, said[-1]))
        return (best, *self._others(said, confidence, alternatives))

    def _others(self, said: list[int], confidence: Floats, count: int) -> list[Caption]:
        """Give the likeliest concepts that the caption does not imply, one a caption."""
        tree = self.vocabulary.tree
        implied = tree.above[:, said[-1]] | tree.above[said[-1]] if said else np.zeros(len(tree), np.bool_)
        free = np.flatnonzero(tree.leaves & ~implied)
        rows = free[np.argsort(-confidence[free], kind="stable")][:count]
        return [Caption(f"{OPENING} {self._phrase(row)}", float(confidence[row])) for row in rows]

    def _told(self, said: list[int], confidence: Floats, added: list[Claim]) -> Caption:
        claims = [
            Claim(
                "concept", self.vocabulary.tree.concepts[row].name, self._phrase(row), float(confidence[row])
            )
            for row in said
        ]
        return Caption(sentence(claims, added), claims[-1].confidence, (*claims, *added))

    def _added(self, x: Floats32, row: int) -> list[Claim]:
        """Give the best setting and the best style, where they are more likely right than wrong."""
        if not self.vocabulary.additions:
            return []
        implied = {self.vocabulary.tree.concepts[r].name for r in np.flatnonzero(self._kin(row))}
        found: dict[str, Claim] = {}
        scores = self.additions(x, row)
        confidences = self.certainty.of_additions(scores)
        for at in np.argsort(-scores, kind="stable"):
            word, phrase = self.vocabulary.additions[at]
            if confidences[at] < LIKELY:
                break
            style = word in STYLES
            if word not in implied and (style or self._movable(row)):
                claim = Claim("style" if style else "setting", word, phrase, float(confidences[at]))
                found.setdefault(claim.kind, claim)
        return list(found.values())

    def _kin(self, row: int) -> NDArray[np.bool_]:
        tree = self.vocabulary.tree
        kin: NDArray[np.bool_] = tree.above[:, row] | tree.above[row]
        return kin

    def _movable(self, row: int) -> bool:
        """Whether a concept can be somewhere: a place or a surface is not on a beach."""
        tree = self.vocabulary.tree
        top = tree.concepts[int(np.flatnonzero(tree.above[row])[0])].name
        return top not in ("place outdoors", "room", "surface", "sight in the sky", "scientific picture")

    def _phrase(self, row: int) -> str:
        return self.vocabulary.tree.concepts[row].phrase

    @cached_property
    def _queries(self) -> list[Query]:
        return [self.background.query([Term(vector, "text")]) for vector in self.vocabulary.vectors]

    @cached_property
    def _addition_vectors(self) -> Floats32:
        return self.background.centre(self.vocabulary.addition_vectors, "text")

    def _direction(self, row: int) -> Floats32:
        """Centred unit vector of a concept; of one without a vector, the mean of those below it."""
        tree = self.vocabulary.tree
        own = tree.known[row]
        rows = np.flatnonzero(tree.known if not own else np.arange(len(tree)) == row)
        below = rows[tree.above[rows, row]]
        positions = np.searchsorted(np.flatnonzero(tree.known), below)
        middle: Floats32 = unit_rows(self.background.samples["text"][positions].mean(axis=0, keepdims=True))[
            0
        ]
        return middle


def sentence(claims: list[Claim], added: list[Claim]) -> str:
    """Put claims into words: the most special concept that is sure, and *probably* before what is not.

    Parameters
    ----------
    claims : list of Claim
        From general to special.
    added : list of Claim
    """
    styles = [claim.phrase for claim in added if claim.kind == "style"]
    settings = [claim for claim in added if claim.kind == "setting"]
    surely = "".join(f" {claim.phrase}" for claim in settings if claim.confidence >= SURE)
    perhaps = "".join(f", probably {claim.phrase}" for claim in settings if claim.confidence < SURE)
    special = claims[-1]
    sure = [claim for claim in claims if claim.confidence >= SURE]
    subject = sure[-1] if sure else special
    doubt = f", probably {special.phrase}" if subject is not special else ""
    start = "" if sure else "probably "
    return f"{start}{(styles or [OPENING])[0]} {subject.phrase}{surely}{doubt}{perhaps}"


def _without(rows: Floats32, direction: Floats32) -> Floats32:
    """Remove one direction (d,) from (n, d) rows, and scale the rest to unit length."""
    return unit_rows(rows - (rows @ direction)[:, None] * direction)
