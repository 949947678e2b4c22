"""Collections: what order costs, what a dictionary of one's own saves, and arithmetic on codes.

After Bachard and Maugey, "SMIC", 2024, with everything that a receiver needs in the count but the profile,
which ships with the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import figures
import output
import split
from sememe import metrics
from sememe.evaluate.coders.ours import SememeFitted
from sememe.evaluate.collections import (
    DictionaryCoder,
    combine,
    edit,
    log2_factorial,
    pack_multiset,
    unmix,
    unpack_multiset,
)
from sememe.profile import Profile, load

PROFILE = "clip-vit-b32"
SET_SIZES = (100, 1000, 10_000)
SET_BYTES = (4, 8, 16)
SHORT_BYTES = (2, 3, 4, 6, 8)
DICTIONARIES = ((16, 1, 16), (64, 1, 16), (64, 2, 32), (64, 3, 32), (256, 2, 32), (256, 3, 32), (512, 3, 32))
"""Atoms, terms, and bytes that code an atom."""

DICTIONARY_SIZES = (100, 1000, 3800)
WEIGHTS = (1, 2, 4)
CODE_BYTES: tuple[int | None, ...] = (None, 32, 16, 8, 4)
"""Lengths that arithmetic is tried at; None: the vectors themselves."""


def study(parts: split.Split, judge: figures.Judge) -> dict[str, Any]:
    """Measure everything."""
    profile = load(PROFILE)
    return {
        "profile": PROFILE,
        "order": order(profile),
        "dictionary": dictionaries(profile, parts),
        "arithmetic": arithmetic(profile, parts, judge),
    }


def order(profile: Profile) -> dict[str, Any]:
    """Bits that sets of codes save, whole streams counted, beside log₂ n! and sets of random bytes."""
    rng, found = np.random.default_rng(0), {}
    rows = rng.permutation(split.load_pool())[: max(SET_SIZES)]
    for nbytes in SET_BYTES:
        codes = profile.encode(rows, nbytes)
        found[str(nbytes)] = {
            str(n): {
                "bytes": len(pack_multiset(codes[:n])),
                "saved_bits": _saved(codes[:n]),
                "random_bytes_saved_bits": _saved(rng.integers(0, 256, (n, nbytes)).astype(np.uint8)),
                "log2_factorial": round(log2_factorial(n), 1),
            }
            for n in SET_SIZES
        }
    return found


def dictionaries(profile: Profile, parts: split.Split) -> dict[str, Any]:
    """Sets with a dictionary of their own beside our codes, one by one and as a multiset."""
    rows, found = np.random.default_rng(0).permutation(len(parts.test.x)), {}
    for size in DICTIONARY_SIZES:
        x = parts.test.x[rows[:size]]
        made = {}
        for atoms, terms, nbytes in DICTIONARIES:
            if 4 * atoms > size:
                continue
            output.note(f"{size} vectors, {atoms} atoms, {terms} terms")
            coder = DictionaryCoder(SememeFitted(profile, nbytes), atoms=atoms, terms=terms)
            data = coder.encode(x)
            made[f"{atoms} atoms, {terms} terms"] = _per_vector(len(data), x, coder.decode(data), parts)
        ours = {}
        for nbytes in SHORT_BYTES:
            codes = profile.encode(x, nbytes)
            row = _per_vector(codes.size, x, profile.decode(codes), parts)
            ours[str(nbytes)] = row | {"as_a_set_bytes": round(len(pack_multiset(codes)) / size, 3)}
        found[str(size)] = {"dictionary": made, "sememe": ours}
    return found


def arithmetic(profile: Profile, parts: split.Split, judge: figures.Judge) -> dict[str, Any]:
    """Edits of one class into another, and sums of two pictures taken apart, at several lengths of code."""
    assert judge.zero_shot is not None
    zero_shot, rng = judge.zero_shot, np.random.default_rng(0)
    y, text = zero_shot.y, zero_shot.text
    wanted, partner = _others(y, len(text), rng), _partners(y, rng)
    known_x, known_y = _known(parts, zero_shot)
    together = known_x + known_x[_partners(known_y, np.random.default_rng(1))]
    length = float(np.linalg.norm(together, axis=1).mean())
    labels = np.full(len(parts.test.x), -1)
    labels[zero_shot.rows] = y
    found: dict[str, Any] = {"length": round(length, 3), "pictures": len(y)}
    for nbytes in CODE_BYTES:
        coded = _coder(profile, nbytes)
        everything = coded(parts.test.x)
        x = everything[zero_shot.rows]
        added = combine(x, x[partner])
        queries = {f"edited_{w}": edit(x, text[y], text[wanted], w) for w in WEIGHTS}
        queries |= {"unedited": x, "text_alone": text[wanted]}
        found["float" if nbytes is None else str(nbytes)] = {
            **{
                name: _hits(query, everything, labels, wanted, zero_shot.rows)
                for name, query in queries.items()
            },
            "sum_of_codes": _taken_apart(added, x[partner], length, y, y[partner], text),
            "code_of_sum": _taken_apart(coded(added), x[partner], length, y, y[partner], text),
        }
    return found


def _taken_apart(
    sums: split.Vectors,
    known: split.Vectors,
    length: float,
    left: NDArray[np.int64],
    taken: NDArray[np.int64],
    text: split.Vectors,
) -> dict[str, float]:
    """How often the two best names are both pictures', and without one the best name is the other's."""
    two = np.sort(metrics.top_k(sums @ text.T, 2), axis=1)
    both = (two == np.sort(np.stack([left, taken], axis=1), axis=1)).all(axis=1)
    rest = (unmix(sums, known, length) @ text.T).argmax(axis=1)
    return {"names_both": _share(both), "difference_names_the_other": _share(rest == left)}


def _saved(codes: NDArray[np.uint8]) -> int:
    packed = pack_multiset(codes)
    assert sorted(map(bytes, codes)) == list(map(bytes, unpack_multiset(packed)))
    return 8 * (codes.size - len(packed))


def _per_vector(
    nbytes: int, x: split.Vectors, decoded: split.Vectors, parts: split.Split
) -> dict[str, float]:
    centred = metrics.centred_cosine(x, decoded, parts.mean)
    return {"bytes": round(nbytes / len(x), 3), **output.rounded({"centred_cosine": float(centred.mean())})}


def _coder(profile: Profile, nbytes: int | None) -> Any:
    if nbytes is None:
        return lambda x: x
    return lambda x: profile.decode(profile.encode(x, nbytes))


def _others(labels: NDArray[np.int64], classes: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A class for each picture that is not its own."""
    return (labels + rng.integers(1, classes, len(labels))) % classes


def _partners(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A picture for each picture that is of another class."""
    partner = rng.permutation(len(labels))
    while (same := np.flatnonzero(labels[partner] == labels)).size:
        partner[same] = rng.integers(0, len(labels), same.size)
    return partner


def _known(parts: split.Split, zero_shot: split.ZeroShot) -> tuple[split.Vectors, NDArray[np.int64]]:
    """Labelled pictures of the same classes that are not in the test."""
    means = parts.means.of("caltech101")
    classes = np.unique(parts.test.y[zero_shot.rows])
    rows = np.isin(means.y, classes)
    return means.x[rows], np.searchsorted(classes, means.y[rows])


def _hits(
    queries: split.Vectors,
    everything: split.Vectors,
    labels: NDArray[np.int64],
    wanted: NDArray[np.int64],
    own: NDArray[np.intp],
) -> dict[str, float]:
    """Share of best hits and of the best ten of the class wanted, and of ten of the picture's own class."""
    scores = queries @ everything.T
    scores[np.arange(len(queries)), own] = -2  # below every cosine
    hits = labels[metrics.top_k(scores, 10)]
    right, same = hits == wanted[:, None], hits == labels[own][:, None]
    return {"wanted_first": _share(right[:, 0]), "wanted_of_10": _share(right), "own_of_10": _share(same)}


def _share(right: NDArray[np.bool_]) -> float:
    return round(float(right.mean()), 4)
