"""How honest strengths and probabilities are: calibrated scores beside raw cosines, on real CLIP vectors.

The two constants of `sememe.metrics.calibration` were set on the Caltech pictures, so the figures for these
are of a fit, not of a test; the other sets played no part.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import output
import split
from sememe import Profile, profile
from sememe.api.space import typical_vectors
from sememe.metrics.calibration import STRONG, WEAK, Background, Query, Term
from sememe.zeroshot.classifier import LOGIT_SCALE

BYTES = (0, 8, 16, 32)
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
        "caltech_search": _search_figures(scores, raw, right),
        "caltech_classify": _classify_figures(scores[:, zero.rows].T, raw[:, zero.rows].T, zero.y),
        "unrelated": {
            f"{name}_{kind}": float((unrelated[:, parts.test.sets == name] >= limit).mean().round(5))
            for name in parts.names
            for kind, limit in (("weak_or_strong", WEAK), ("strong", STRONG))
        },
    }


def _search_figures(
    scores: NDArray[np.float32], raw: NDArray[np.float32], right: NDArray[np.bool_]
) -> dict[str, float]:
    return output.rounded(
        {
            "right_strong": (scores[right] >= STRONG).mean(),
            "right_weak_or_strong": (scores[right] >= WEAK).mean(),
            "strong_right": right[scores >= STRONG].mean(),
            "average_precision": np.mean(
                [_average_precision(s, r) for s, r in zip(scores, right, strict=True)]
            ),
            "average_precision_raw": np.mean(
                [_average_precision(s, r) for s, r in zip(raw, right, strict=True)]
            ),
            "one_threshold": _average_precision(scores.ravel(), right.ravel()),
            "one_threshold_raw": _average_precision(raw.ravel(), right.ravel()),
        }
    )


def _classify_figures(
    scores: NDArray[np.float32], raw: NDArray[np.float32], y: split.Labels
) -> dict[str, float]:
    powers = np.exp(LOGIT_SCALE * (raw - raw.max(axis=1, keepdims=True)).astype(np.float64))
    shares = powers / powers.sum(axis=1, keepdims=True)
    best = raw.argmax(axis=1)
    hit, score = best == y, scores[np.arange(len(y)), best]
    return output.rounded(
        {
            "accuracy": hit.mean(),
            "accuracy_by_score": (scores.argmax(axis=1) == y).mean(),
            "log_loss": -np.log(shares[np.arange(len(y)), y] + 1e-12).mean(),
            "mean_probability_of_best": shares.max(axis=1).mean(),
            "accuracy_where_strong": hit[score >= STRONG].mean(),
            "accuracy_where_weak": hit[(score < STRONG) & (score >= WEAK)].mean(),
            "share_strong": (score >= STRONG).mean(),
        }
    )


def _average_precision(scores: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
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
