"""The universal code, which no vector was needed for, beside fitted profiles and other data-free codes.

Nothing was fitted, so every vector is a test. *universal*: a random rotation and fixed tables. *informed*:
the same, with the text vectors that do not judge it (Objects365 and Open Images names). *informed, mean of
100*: with the mean of a hundred training vectors as well. *fit 100*, *fit 1000*: what `Profile.fit` makes of
so many training vectors and the same texts. *fitted*: the profile that ships. *signs*: one bit for each of
the first 8 n coordinates of the same rotation, two once all have one; RaBitQ's code without its floats.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import figures
import output
import split
from sememe import metrics, profile
from sememe.profile import Profile
from sememe.profile.universal import building, informed, universal
from sememe.profile.universal.rotation import random_rotation

BYTES = (4, 8, 16, 32, 64, 128)
WHOLE = {
    "cifar10_500": "test_x",
    "flickr8k_1000": "test_x",
    "unlabelled_500": "test_x",
    "imagenet": "extra_x",
}
"""Further sets, without queries or class means of their own."""
DIMS = (384, 512, 768, 1152)
_TIMED = 2048

Code = Callable[[split.Vectors, int], split.Vectors]
"""Vectors (n, d) to what so many bytes each decode to."""


def main() -> None:
    """Judge everything on the main split, then the data-free codes on every set."""
    args = output.parser(__doc__).parse_args()
    parts = split.load_split(args.data)
    text = split.load_text(args.data)
    profiles = _profiles(parts, text)
    judge = figures.Judge(parts, args.data)
    codes = {**{name: _of(made) for name, made in profiles.items()}, "signs": signs}
    main_rows = {}
    for name, code in codes.items():
        output.note(name)
        main_rows[name] = {str(n): judge.figures(code(parts.test.x, n)) for n in BYTES}
    free = {name: codes[name] for name in ("universal", "informed", "signs")}
    result = {
        "texts": len(text),
        "uncompressed": judge.figures(parts.test.x),
        "main": main_rows,
        "left_out": {name: _left_out(code, args.data) for name, code in free.items()},
        "whole": {name: _whole(code, parts.mean, args.data) for name, code in free.items()},
        "seconds_to_make": output.rounded({str(dim): _seconds_to_make(dim) for dim in DIMS}, 3),
        "vectors_per_cpu_s": {name: _speed(profiles[name]) for name in ("universal", "fitted")},
    }
    output.emit(result, args.output)


def signs(x: split.Vectors, nbytes: int) -> split.Vectors:
    """Signs of rotated coordinates; above d bits, the best four levels for a normal density instead."""
    rotation, rounds = random_rotation(x.shape[1])
    rows = rotation[: min(8 * nbytes, x.shape[1])].astype(np.float32) / 2**rounds
    turned = x @ rows.T * np.sqrt(x.shape[1])
    levels = 0.798 if 8 * nbytes <= x.shape[1] else np.where(np.abs(turned) < 0.982, 0.453, 1.510)
    return metrics.unit_rows((np.sign(turned) * levels @ rows).astype(np.float32))


def _profiles(parts: split.Split, text: split.Vectors) -> dict[str, Profile]:
    order = np.random.default_rng(0).permutation(len(parts.fit.x))
    some = parts.fit.x[order[:100]]
    return {
        "universal": universal(parts.fit.x.shape[1]),
        "informed": informed(text),
        "informed, mean of 100": informed(text, mean=some.mean(axis=0, dtype=np.float64)),
        "fit 100": Profile.fit(some, text),
        "fit 1000": Profile.fit(parts.fit.x[order[:1000]], text),
        "fitted": profile.load("clip-vit-b32"),
    }


def _of(made: Profile) -> Code:
    return lambda x, nbytes: made.decode(made.encode(x, nbytes))


def _left_out(code: Code, data: Path) -> dict[str, Any]:
    """Figures of each set that `unseen.py` leaves out of a fit, on the same rows."""
    rows: dict[str, Any] = {}
    for left in split.LEFT_OUT:
        parts = split.load_leave_out(data, left)
        for n in BYTES:
            found = figures.per_set(parts, code(parts.test.x, n), data)
            for name in parts.names:
                rows.setdefault(name, {})[str(n)] = found[name]
    return rows


def _whole(code: Code, mean: split.Vectors, data: Path) -> dict[str, Any]:
    """Cosines on further sets."""
    rows: dict[str, Any] = {}
    for name, part in WHOLE.items():
        x = metrics.unit_rows(np.load(data / "vectors" / f"{name}.npz")[part])
        for n in BYTES:
            decoded = code(x, n)
            rows.setdefault(name, {})[str(n)] = output.rounded(
                {
                    "cosine": metrics.cosine(x, decoded).mean(),
                    "centred_cosine": metrics.centred_cosine(x, decoded, mean).mean(),
                }
            )
    return rows


def _seconds_to_make(dim: int) -> float:
    """Processor time of a profile that nothing has made before in this process, fingerprint included."""
    random_rotation.cache_clear()
    building._universal_tables.cache_clear()
    start = time.process_time()
    assert universal(dim).fingerprint
    return time.process_time() - start


def _speed(made: Profile) -> dict[str, dict[str, int]]:
    """Vectors per second of processor time, the second time each."""
    x = split.load_pool()[:_TIMED]
    rates = {}
    for n in (16, 64):
        for _ in range(2):
            start = time.process_time()
            codes = made.encode(x, n)
            between = time.process_time()
            made.decode(codes)
            end = time.process_time()
        rates[str(n)] = {
            "encode": round(len(x) / (between - start)),
            "decode": round(len(x) / (end - between)),
        }
    return rates


if __name__ == "__main__":
    main()
