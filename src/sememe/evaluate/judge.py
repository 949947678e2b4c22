"""`Judge`: the figures by which a way of coding is judged, the same for all.

It looks at decoded vectors and at the length of each real message, and knows nothing of coders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from sememe import metrics
from sememe.errors import VectorError
from sememe.evaluate.trial import UNLABELLED, Rows, Trial
from sememe.types import Embeddings

__all__ = ["FIGURES", "Figures", "Judge", "Verdict"]

Figures: TypeAlias = "dict[str, float | list[float] | None]"
"""Name of a figure to its value; None where the trial cannot tell."""


class Verdict(TypedDict):
    """Figures of `all` test vectors together, of each of the `sets` alone, and the plain `mean` over sets."""

    all: Figures
    sets: dict[str, Figures]
    mean: Figures


FIGURES = {
    "images": "test pictures",
    "bytes_mean": "mean bytes of a message",
    "bytes_p5": "5th percentile of bytes",
    "bytes_p95": "95th percentile of bytes",
    "bytes_max": "bytes of the longest message",
    "bpp": "mean bits per pixel of the picture",
    "cosine": "mean cosine",
    "cosine_p5": "5th percentile of the cosine",
    "centred_cosine": "mean centred cosine",
    "centred_cosine_p5": "5th percentile of the centred cosine",
    "recall_at_10": "recall@10 (image to image)",
    "text_recall_at_10": "recall@10 (text to image)",
    "zero_shot": "zero-shot top-1 accuracy",
    "zero_shot_interval": "its 95 % confidence interval (Wilson)",
    "zero_shot_top5": "zero-shot top-5 accuracy",
    "zero_shot_top5_interval": "its 95 % confidence interval (Wilson)",
    "zero_shot_agreement": "share with the same zero-shot class as uncompressed",
    "text_agreement": "share with the same best text as uncompressed",
    "class_mean": "nearest-class-mean accuracy",
    "class_mean_interval": "its 95 % confidence interval (Wilson)",
    "class_mean_kept": "share kept of uncompressed nearest-class-mean accuracy",
}
"""Every figure and what it is; the keys of `Figures` in their order."""

_K = 10
_DIGITS = 6


class Judge:
    """Everything about a trial that does not depend on the code: made once, asked for every rate.

    Parameters
    ----------
    trial : Trial
    """

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        one = len(trial.sets) == 1
        self._bench = _Bench(trial)
        self._benches = {name: self._bench if one else _Bench(trial.of(name)) for name in trial.sets}

    @cached_property
    def uncompressed(self) -> Verdict:
        """What the vectors themselves give, at 32 bits a dimension."""
        return self.judge(self.trial.test.x, np.full(len(self.trial.test), 4 * self.trial.dim))

    def judge(self, decoded: Embeddings, lengths: Sequence[int] | NDArray[np.integer]) -> Verdict:
        """Compare decoded test vectors with the originals.

        Parameters
        ----------
        decoded
            (n, d) unit rows, in the order of the test.
        lengths
            (n,) bytes of the message that each was decoded from.

        Returns
        -------
        Verdict

        Raises
        ------
        VectorError
            There is not one vector and one length for each test row.
        """
        test, sizes = self.trial.test, np.asarray(lengths, np.int64)
        if decoded.shape != test.x.shape or sizes.shape != (len(test),):
            raise VectorError(
                f"expected vectors {test.x.shape}, not {decoded.shape} and {sizes.shape} lengths"
            )
        whole = self._bench.figures(decoded, sizes)
        if len(self._benches) == 1:
            return {"all": whole, "sets": {self.trial.sets[0]: whole}, "mean": _mean([whole])}
        sets = {}
        for name, bench in self._benches.items():
            rows = test.sets == name
            sets[name] = bench.figures(decoded[rows], sizes[rows])
        return {"all": whole, "sets": sets, "mean": _mean(list(sets.values()))}


class _Bench:
    """One trial taken as a whole, with the answers that its uncompressed vectors give."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.classes = _joint_labels(trial)
        self.class_mean = self._class_mean(trial.test.x)

    def figures(self, decoded: Embeddings, sizes: NDArray[np.int64]) -> Figures:
        found: Figures = dict.fromkeys(FIGURES)
        found |= {"images": len(sizes), **self._rate(sizes), **self._distance(decoded)}
        found |= {**self._search(decoded), **self._zero_shot(decoded), **self._known_classes(decoded)}
        return {name: _rounded(value) for name, value in found.items()}

    def _rate(self, sizes: NDArray[np.int64]) -> Figures:
        pixels = self.trial.pixels
        return {
            "bytes_mean": float(sizes.mean()),
            "bytes_p5": float(np.percentile(sizes, 5)),
            "bytes_p95": float(np.percentile(sizes, 95)),
            "bytes_max": int(sizes.max()),
            "bpp": None if pixels is None else float(np.mean(8 * sizes / pixels)),
        }

    def _distance(self, decoded: Embeddings) -> Figures:
        x = self.trial.test.x
        cosine = metrics.cosine(x, decoded)
        centred = metrics.centred_cosine(x, decoded, self.trial.mean)
        return {
            "cosine": float(cosine.mean()),
            "cosine_p5": float(np.percentile(cosine, 5)),
            "centred_cosine": float(centred.mean()),
            "centred_cosine_p5": float(np.percentile(centred, 5)),
        }

    def _search(self, decoded: Embeddings) -> Figures:
        trial, x = self.trial, self.trial.test.x
        found: Figures = {}
        if len(x) > _K and len(trial.queries):
            found["recall_at_10"] = metrics.recall_at(trial.queries.x, x, decoded, k=_K)
        if trial.texts is not None:
            found["text_agreement"] = metrics.agreement(x @ trial.texts.T, decoded @ trial.texts.T)
            if len(x) > _K:
                found["text_recall_at_10"] = metrics.recall_at(trial.texts, x, decoded, k=_K)
        return found

    def _zero_shot(self, decoded: Embeddings) -> Figures:
        asked = self.trial.zero_shot
        if asked is None:
            return {}
        n, scores = len(asked.rows), decoded[asked.rows] @ asked.text.T
        best = metrics.top_k_accuracy(scores, asked.labels)
        found: Figures = {
            "zero_shot": best,
            "zero_shot_interval": list(metrics.wilson(best, n)),
            "zero_shot_agreement": metrics.agreement(self.trial.test.x[asked.rows] @ asked.text.T, scores),
        }
        if len(asked.names) > 5:  # with fewer classes the right one always is among the best five
            five = metrics.top_k_accuracy(scores, asked.labels, k=5)
            found |= {"zero_shot_top5": five, "zero_shot_top5_interval": list(metrics.wilson(five, n))}
        return found

    def _known_classes(self, decoded: Embeddings) -> Figures:
        share = self._class_mean(decoded)
        if share is None:
            return {}
        return {
            "class_mean": share,
            "class_mean_interval": list(metrics.wilson(share, int((self.classes[0] >= 0).sum()))),
            "class_mean_kept": share / self.class_mean if self.class_mean else None,
        }

    def _class_mean(self, x: Embeddings) -> float | None:
        """Accuracy over test rows with a label; None if there is none, or no class mean."""
        labels, known = self.classes
        rows = labels >= 0
        if not rows.any() or not (known >= 0).any():
            return None
        return metrics.nearest_class_mean_accuracy(
            x[rows], labels[rows], train_x=self.trial.known.x[known >= 0], train_labels=known[known >= 0]
        )


def _joint_labels(trial: Trial) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels of the test and of what is known, distinct across sets; -1 stays."""
    names = sorted({*trial.test.sets.tolist(), *trial.known.sets.tolist()})
    span = 1 + max(int(part.labels.max(initial=0)) for part in (trial.test, trial.known))

    def joint(part: Rows) -> NDArray[np.int64]:
        shifted = part.labels + span * np.searchsorted(names, part.sets) if len(part) else part.labels
        return np.where(part.labels == UNLABELLED, UNLABELLED, shifted)

    return joint(trial.test), joint(trial.known)


def _mean(verdicts: Sequence[Mapping[str, float | list[float] | None]]) -> Figures:
    """Plain mean over sets of each figure that all of them have; intervals do not average."""
    found: Figures = {}
    for name in FIGURES:
        values = [figures[name] for figures in verdicts]
        plain = [value for value in values if isinstance(value, int | float)]
        whole = len(plain) == len(values) and not name.endswith("_interval")
        found[name] = _rounded(float(np.mean(plain))) if whole else None
    return found


def _rounded(value: float | list[float] | None) -> float | list[float] | None:
    if isinstance(value, list):
        return [round(one, _DIGITS) for one in value]
    return value if value is None or isinstance(value, int) else round(value, _DIGITS)
