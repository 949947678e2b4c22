"""Judge what a composer says of labelled vectors, and fit its certainty on sets other than the one judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe.caption import Certainty, Composer
from sememe.caption.captions import LIKELY, SURE

Floats = NDArray[np.float64]

SCALES = (1.0, 1.4, 2.0)
"""Sharpness tried; below 1 the branches of the tree would be claimed more than once over."""
BINS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0001)


@dataclass(frozen=True, eq=False)
class Labelled:
    """Vectors of one set, original and decoded, and what may be said of each."""

    name: str
    composer: Composer
    x: Mapping[int, NDArray[np.float32]]
    """(n, d) by length of code in bytes; 0 is the original."""
    right: NDArray[np.bool_]
    """(n, c) whether a concept of the tree is right for a picture."""
    named: NDArray[np.bool_]
    """(n, c) whether it is the very label, not a general word for it."""
    beyond: NDArray[np.bool_]
    """(n, c) whether it says more than the label, which cannot be judged: claims are cut before it."""
    weight: float = 1.0
    """How much the set counts in a fit."""

    @classmethod
    def of(
        cls,
        name: str,
        composer: Composer,
        x: Mapping[int, NDArray[np.float32]],
        labels: Sequence[Sequence[int]],
        *,
        strict: bool = False,
        weight: float = 1.0,
    ) -> Labelled:
        """Take the rows of one label or more of each picture; if `strict`, more than the label is wrong."""
        above = composer.vocabulary.tree.above
        named = np.zeros((len(labels), len(above)), np.bool_)
        for picture, rows in enumerate(labels):
            named[picture, list(rows)] = True
        right = named @ above
        beyond = (named @ above.T) & ~right
        return cls(name, composer, x, right, named, beyond & (not strict), weight)


class Steps(NamedTuple):
    """Steps down the tree, from every picture and every length of one set."""

    share: Floats
    right: NDArray[np.bool_]
    weight: float


class Answer(NamedTuple):
    """What was said of each picture of a set: (n,) each."""

    confidence: Floats
    said: NDArray[np.bool_]
    right: NDArray[np.bool_]
    named: NDArray[np.bool_]
    """Whether it is the very concept, not a general word for it."""


def with_scale(composer: Composer, scale: float) -> Composer:
    """Change the sharpness of the softmax."""
    return replace(composer, certainty=composer.certainty._replace(scale=scale))


def steps(data: Labelled, scale: float) -> Steps:
    """Walk down from the top for every picture at every length, as captions do."""
    composer, share, right = with_scale(data.composer, scale), [], []
    for x in data.x.values():
        for picture, shares in enumerate(composer.shares(x)):
            for row in composer.path(shares):
                if data.beyond[picture, row]:
                    break
                share.append(shares[row])
                right.append(data.right[picture, row])
    return Steps(np.array(share), np.array(right), data.weight)


def fit(sets: Mapping[float, Sequence[Steps]]) -> Certainty:
    """Choose the scale, and Platt's two constants, that make right and wrong likeliest; sets by weight."""
    best = (np.inf, 0.0, np.zeros(2))
    for scale, walked in sets.items():
        shares = np.clip(np.concatenate([one.share for one in walked]), 1e-9, 1 - 1e-9)
        right = np.concatenate([one.right for one in walked])
        each = [one.weight / len(one.share) for one in walked]
        weights = np.repeat(each, [len(one.share) for one in walked])
        constants, loss = logistic(np.log(shares / (1 - shares)), right, weights)
        best = min(best, (loss, scale, constants), key=lambda found: found[0])
    _, scale, (offset, slope) = best
    return Certainty(scale, round(float(offset), 2), round(float(slope), 2), 0.0, 0.0)


def logistic(x: Floats, right: NDArray[np.bool_], weights: Floats) -> tuple[Floats, float]:
    """Fit offset and slope by Newton's method; return them and the mean negative log-likelihood."""
    design, constants = np.stack([np.ones_like(x), x], axis=1), np.zeros(2)
    for _ in range(30):
        p = 1 / (1 + np.exp(-design @ constants))
        curvature = (design * (weights * p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        constants = constants + np.linalg.solve(curvature, design.T @ (weights * (right - p)))
    p = np.clip(1 / (1 + np.exp(-design @ constants)), 1e-12, 1 - 1e-12)
    loss = -(weights * np.where(right, np.log(p), np.log(1 - p))).sum() / weights.sum()
    return constants, float(loss)


def answers(data: Labelled, nbytes: int, certainty: Certainty) -> Answer:
    """Say what a caption's most special concept is worth, for every picture at one length."""
    composer, rows = replace(data.composer, certainty=certainty), []
    confidences = certainty.of_concepts(composer.shares(data.x[nbytes]))
    for picture, confidence in enumerate(confidences):
        path = composer.path(confidence)
        said = [row for row in path if confidence[row] >= LIKELY and not data.beyond[picture, row]]
        last = said[-1] if said else path[0]
        found = [bool(said) and bool(truth[picture, last]) for truth in (data.right, data.named)]
        rows.append((confidence[last], bool(said), *found))
    columns = list(zip(*rows, strict=True))
    return Answer(np.array(columns[0]), *(np.array(column, np.bool_) for column in columns[1:]))


def figures(found: Sequence[Answer]) -> dict[str, Any]:
    """Average what was said over sets, a set counting once."""

    def mean(values: list[float]) -> float:
        return round(float(np.mean(values)), 3)

    return {
        "said": mean([one.said.mean() for one in found]),
        "right_of_said": mean([one.right[one.said].mean() for one in found if one.said.any()]),
        "stated_of_said": mean([one.confidence[one.said].mean() for one in found if one.said.any()]),
        "named": mean([one.named.mean() for one in found]),
        "general": mean([(one.right & ~one.named).mean() for one in found]),
        "wrong": mean([(one.said & ~one.right).mean() for one in found]),
    }


def reliability(confidence: Floats, right: NDArray[np.bool_], weights: Floats) -> list[dict[str, float]]:
    """Compare what is stated with what is right, by confidence."""
    rows = []
    for low, high in pairwise(BINS):
        inside = (confidence >= low) & (confidence < high)
        if inside.sum() >= 20:
            stated, found = (np.average(v[inside], weights=weights[inside]) for v in (confidence, right))
            rows.append(
                {
                    "from": low,
                    "claims": int(inside.sum()),
                    "stated": round(float(stated), 3),
                    "right": round(float(found), 3),
                }
            )
    return rows


def left_out(sets: Sequence[Labelled]) -> tuple[Certainty, dict[str, Certainty], dict[str, Any]]:
    """Fit on all sets, and for each set on the others; return both and the reliability of the latter."""
    walked = {scale: [steps(data, scale) for data in sets] for scale in SCALES}
    every = fit(walked)
    others = {
        data.name: fit({s: [w for i, w in enumerate(walk) if i != at] for s, walk in walked.items()})
        for at, data in enumerate(sets)
    }
    confidence, right, weights, by_set = [], [], [], {}
    for at, data in enumerate(sets):
        certainty = others[data.name]
        walk = walked[certainty.scale][at]
        stated = certainty.of_concepts(walk.share)
        confidence.append(stated)
        right.append(walk.right)
        weights.append(np.full(len(stated), 1 / len(stated)))
        by_set[data.name] = _beside(stated, walk.right)
    joined = [np.concatenate(parts) for parts in (confidence, right, weights)]
    return every, others, {"all": reliability(*joined), "sets": by_set}


def _beside(stated: Floats, right: NDArray[np.bool_]) -> dict[str, float]:
    """Stated and right of the claims that a caption makes, and of those it makes without *probably*."""
    found = {}
    for name, least in (("said", LIKELY), ("sure", SURE)):
        claims = stated >= least
        found |= {f"{name}_claims": int(claims.sum())}
        if claims.any():
            found |= {
                f"{name}_stated": round(float(stated[claims].mean()), 3),
                f"{name}_right": round(float(right[claims].mean()), 3),
            }
    return found
