"""How honest strengths and probabilities are: calibrated scores beside raw cosines, on real CLIP vectors.

The constants of `sememe.metrics.strength` were set on such pictures and queries, so these figures are of a
fit, not of a test.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import output
import split
from sememe import Profile, profile
from sememe.api.space import typical_vectors
from sememe.metrics.calibration import Background, Query, Term
from sememe.metrics.strength import STRONG, WEAK, chance, strengths
from sememe.zeroshot.classifier import LOGIT_SCALE

Scores = NDArray[np.float32]

BYTES = (0, 8, 16, 32)
COLLECTIONS = (12, 100, 1000, 3800)
UNRELATED = 200
"""Names from LVIS that are neither a class of the pictures nor an everyday word here."""


def main() -> None:
    """Judge the uncompressed vectors (0 bytes) and codes of several lengths."""
    args = output.parser(__doc__).parse_args()
    parts, shipped = split.load_split(args.data), profile.load("clip-vit-b32")
    everyday = split.load_text(args.data, ("objects365",))
    background = Background.of(images=typical_vectors(shipped), texts=everyday)
    rows = {str(n): judge(_coded(shipped, parts.test.x, n), parts, background, args.data) for n in BYTES}
    constants = {"strong": STRONG, "weak": WEAK, "logit_scale": LOGIT_SCALE}
    output.emit({"constants": constants, "everyday": len(everyday), "bytes": rows}, args.output)


def judge(
    x: split.Vectors, parts: split.Split, background: Background, data: Path
) -> dict[str, dict[str, float]]:
    """Take all figures of one set of vectors, original or decoded."""
    zero = split.zero_shot_caltech(parts, data)
    scores = background.score(_queries(background, zero.text), x)[0]
    right = np.zeros(scores.shape, np.bool_)
    right[zero.y, zero.rows] = True
    unrelated = background.score(_queries(background, _unrelated(data)), x)[0]
    raw = zero.text @ x.T
    return {
        "search": _search_figures(scores, raw, right),
        "unrelated_queries": _unrelated_figures(unrelated),
        "unrelated_pairs": _pair_figures(unrelated, parts),
        "classify": _classify_figures(scores[:, zero.rows].T, raw[:, zero.rows].T, zero.y),
    }


def _search_figures(scores: Scores, raw: Scores, right: NDArray[np.bool_]) -> dict[str, float]:
    names = np.array([strengths(row) for row in scores])
    strong, weak = names == "strong", names != "none"
    return output.rounded(
        {
            "right_strong": strong[right].mean(),
            "right_weak_or_strong": weak[right].mean(),
            "strong_right": right[strong].mean(),
            "average_precision": np.mean(
                [_average_precision(*pair) for pair in zip(scores, right, strict=True)]
            ),
            "average_precision_raw": np.mean(
                [_average_precision(*pair) for pair in zip(raw, right, strict=True)]
            ),
        }
    )


def _unrelated_figures(scores: Scores) -> dict[str, float]:
    """Share of queries for what no picture shows that get hits of each name, by rule and by height."""
    figures = {}
    for n in COLLECTIONS:
        rows = np.random.default_rng(0).permutation(scores.shape[1])[:n]
        names = [strengths(row) for row in scores[:, rows]]
        figures |= {
            f"{n}_strong": np.mean(["strong" in row for row in names]),
            f"{n}_weak_or_strong": np.mean([set(row) != {"none"} for row in names]),
            f"{n}_strong_by_height": (scores[:, rows] >= STRONG).any(axis=1).mean(),
            f"{n}_weak_or_strong_by_height": (scores[:, rows] >= WEAK).any(axis=1).mean(),
        }
    return output.rounded(figures)


def _pair_figures(scores: Scores, parts: split.Split) -> dict[str, float]:
    """Share of unrelated pairs that reach a score, on the pictures of each set, and what `chance` says."""
    figures = {}
    for limit in (WEAK, STRONG, 5.0):
        figures[f"chance_{limit:g}"] = float(chance(np.array(limit)))
        for name in parts.names:
            figures[f"{name}_{limit:g}"] = (scores[:, parts.test.sets == name] >= limit).mean()
    return output.rounded(figures, 5)


def _classify_figures(scores: Scores, raw: Scores, y: split.Labels) -> dict[str, float]:
    powers = np.exp(LOGIT_SCALE * (raw - raw.max(axis=1, keepdims=True)).astype(np.float64))
    shares = powers / powers.sum(axis=1, keepdims=True)
    rows, best = np.arange(len(y)), raw.argmax(axis=1)
    hit = best == y
    names = np.array([strengths(row)[label] for row, label in zip(scores, best, strict=True)])
    return output.rounded(
        {
            "accuracy": hit.mean(),
            "accuracy_by_score": (scores.argmax(axis=1) == y).mean(),
            "log_loss": -np.log(shares[rows, y] + 1e-12).mean(),
            "mean_probability_of_best": shares.max(axis=1).mean(),
            **{f"accuracy_where_{name}": hit[names == name].mean() for name in ("strong", "weak", "none")},
            **{f"share_{name}": (names == name).mean() for name in ("strong", "weak", "none")},
        }
    )


def _average_precision(scores: Scores, right: NDArray[np.bool_]) -> float:
    ranked = right[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(ranked) / np.arange(1, len(ranked) + 1))[ranked].mean())


def _queries(background: Background, text: split.Vectors) -> list[Query]:
    return [background.query([Term(vector, "text")]) for vector in text]


def _unrelated(data: Path) -> split.Vectors:
    """Text vectors of LVIS names that share no word with a class of the pictures or an everyday word."""
    names = np.load(data / "text" / "lvis.npz")["names"].tolist()
    known = " ".join(
        [
            (data / "vectors" / "class_names.json").read_text().lower(),
            *np.load(data / "text" / "objects365.npz")["names"].tolist(),
        ]
    ).lower()
    rows = [i for i, name in enumerate(names) if not any(word in known for word in name.lower().split())]
    chosen = np.random.default_rng(0).permutation(rows)[:UNRELATED]
    return split.load_text(data, ("lvis",))[chosen]


def _coded(shipped: Profile, x: split.Vectors, nbytes: int) -> split.Vectors:
    return x if nbytes == 0 else shipped.decode(shipped.encode(x, nbytes))


if __name__ == "__main__":
    main()
