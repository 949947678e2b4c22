"""At which rate image codecs reach the figures of our code, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from picture_judge import Row
from sememe.evaluate.imagecodecs import FAMILIES, rate_at

TARGET = 16
"""Bytes of ours whose figures the codecs have to reach."""
FIGURES = ("zero_shot", "agreement", "cosine", "recall_at_10")
POINT = 0.01
"""Accuracy is also asked for less one point: near the top it hardly rises, and any rate may be the one."""
RESAMPLED = 1000


def reached(ours: Sequence[Row], rows: Sequence[Row], pictures: int) -> Row:
    """Say at which rate each family reaches what ours has at `TARGET` bytes, and our share of that."""
    target = next(row for row in ours if row["nbytes"] == TARGET)
    found: Row = {}
    for family in FAMILIES:
        mine = [row for row in rows if row["family"] == family]
        if not mine:
            continue
        found[family] = {
            kind: {figure: _reach(mine, target, kind, figure) for figure in FIGURES}
            for kind in ("message", "file")
        }
        for kind in found[family]:
            near = _reach(mine, target | {"zero_shot": target["zero_shot"] - POINT}, kind, "zero_shot")
            found[family][kind]["zero_shot"] |= _resampled(mine, target, kind, pictures)
            found[family][kind]["zero_shot_less_a_point"] = near
    return found


def _reach(rows: Sequence[Row], target: Row, kind: str, figure: str) -> Row:
    points = [(row["bytes"][kind]["mean"], row[figure]) for row in rows]
    crossing = rate_at(points, target[figure])
    if crossing.how == "never":
        return {"how": "never", "best": max(value for _, value in points)}
    share = target["bytes"][kind]["mean"] / crossing.nbytes
    return {"how": crossing.how, "bytes": round(crossing.nbytes, 1), "our_share": round(share, 4)}


def _resampled(rows: Sequence[Row], target: Row, kind: str, pictures: int) -> Row:
    """Bytes at both ends of nine tenths of all draws of the pictures, the same for both; None: never."""
    hits = np.array([_unpacked(row, pictures) for row in (target, *rows)])
    sizes = [row["bytes"][kind]["mean"] for row in rows]
    rng, found = np.random.default_rng(0), []
    for _ in range(RESAMPLED):
        wanted, *values = hits[:, rng.integers(0, pictures, pictures)].mean(axis=1)
        crossing = rate_at(zip(sizes, values, strict=True), wanted)
        found.append(math.inf if math.isnan(crossing.nbytes) else crossing.nbytes)
    ends = np.quantile(found, [0.05, 0.95], method="nearest")
    return {"bytes_5_95": [round(float(end), 1) if math.isfinite(end) else None for end in ends]}


def _unpacked(row: Row, pictures: int) -> NDArray[np.bool_]:
    bits = np.frombuffer(bytes.fromhex(row["right"]), np.uint8)
    return np.unpackbits(bits)[:pictures].astype(np.bool_)
