"""Which label fits a vector best, how sure that is, and whether any fits at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sememe.metrics import unit_rows
from sememe.metrics.calibration import Background, Query, Term
from sememe.metrics.strength import Strength, strengths
from sememe.zeroshot.labels import TEMPLATE, read_labels, read_templates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sememe.types import Backbone, Embeddings


LOGIT_SCALE = 100.0
"""Factor on cosines before the softmax, for a backbone that does not say: that of CLIP."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label for one picture."""

    label: str
    probability: float
    """Share of this label if one of the labels is right: they sum to 1 whatever the picture shows."""
    score: float
    """Calibrated (`metrics.calibration`): standard deviations above chance, whatever the other labels are."""
    strength: Strength
    """The more labels are tried, the higher a score must be to be more than luck (`metrics.strength`)."""

    def to_json(self) -> dict[str, Any]:
        """Return ``{"label", "probability", "score", "strength"}``."""
        return asdict(self) | {"probability": round(self.probability, 4), "score": round(self.score, 4)}


@dataclass(frozen=True, slots=True)
class Prediction:
    """All labels of one picture, the likeliest first."""

    labels: tuple[Label, ...]

    @property
    def best(self) -> Label:
        """The likeliest label, even if it is not likely."""
        return self.labels[0]

    @property
    def none(self) -> bool:
        """Whether the answer is "none of these": not even the likeliest label beats chance."""
        return self.best.strength == "none"

    def to_json(self, top: int | None = None) -> dict[str, Any]:
        """Return ``{"none", "labels": [{"label", "probability", "score", "strength"}]}``, `top` at most."""
        return {"none": self.none, "labels": [label.to_json() for label in self.labels[:top]]}


@dataclass(frozen=True, eq=False)
class Classifier:
    """Labels of one space, ready to be compared with any number of vectors."""

    labels: tuple[str, ...]
    vectors: Embeddings
    """(c, d) unit rows."""
    queries: list[Query]
    background: Background
    logit_scale: float

    @classmethod
    def of(
        cls,
        labels: str | Iterable[str],
        backbone: Backbone,
        background: Background,
        *,
        template: str | Sequence[str] = TEMPLATE,
    ) -> Classifier:
        """Embed labels as sentences.

        Parameters
        ----------
        labels : str or iterable of str
            As `read_labels` takes them.
        backbone : Backbone
            Its text side is used.
        background : Background
            Of the same space, with texts; the better if these were put into the same templates.
        template : str or sequence of str
            Each holds ``{}``; the vectors of several are averaged.

        Raises
        ------
        UnknownLabelError
            There is no label.
        UsageError
            A template does not hold ``{}``.
        """
        names = read_labels(labels)
        vectors = embed_labels(names, backbone, template=template)
        queries = [background.query([Term(vector, "text")]) for vector in vectors]
        return cls(names, vectors, queries, background, getattr(backbone, "logit_scale", LOGIT_SCALE))

    def probabilities(self, x: Embeddings) -> NDArray[np.float64]:
        """Share (n, c) of each label for vectors (n, d): a softmax of cosines, as Radford et al. (2021)."""
        logits = self.logit_scale * (x @ self.vectors.T).astype(np.float64)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares

    def classify(self, x: Embeddings) -> list[Prediction]:
        """Rank all labels for each of (n, d) vectors by probability.

        Parameters
        ----------
        x : (n, d) float32
            Decoded picture vectors of the background's space.

        Returns
        -------
        list of n Prediction

        Raises
        ------
        VectorError
            `x` has another shape.
        """
        scores = self.background.score(self.queries, x)[0].T
        shares = self.probabilities(x)
        order = np.argsort(-shares, axis=1, kind="stable")
        return [self._rank(*row) for row in zip(scores, shares, order, strict=True)]

    def _rank(
        self, scores: NDArray[np.float32], shares: NDArray[np.float64], order: NDArray[np.intp]
    ) -> Prediction:
        names = strengths(scores)
        return Prediction(
            tuple(Label(self.labels[i], float(shares[i]), float(scores[i]), names[i]) for i in order)
        )


def embed_labels(
    labels: Sequence[str], backbone: Backbone, *, template: str | Sequence[str] = TEMPLATE
) -> Embeddings:
    """Embed each label as the mean over its sentences: (c, d) unit float32 rows.

    Averaging over templates is prompt ensembling of Radford et al. (2021), section 3.1.4.
    """
    templates = read_templates(template)
    sentences = [text.replace("{}", label) for text in templates for label in labels]
    vectors = backbone.embed_texts(sentences).reshape(len(templates), len(labels), -1).mean(axis=0)
    return unit_rows(vectors)
