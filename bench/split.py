"""The vectors that every benchmark shares: which train, which test, which ask.

All randomness is `numpy.random.default_rng(0)`, and every split is a pure function of the data directory.
Vectors come back as float32 rows of unit norm (the files hold float16).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.metrics import unit_rows

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
FIT_SETS = ("caltech101", "dtd", "fgvc", "oxford_pets", "sun397", "food101", "imagenet")
FIT_PARTS = ("val", "shots", "extra")
TEST_ROWS = {"caltech101": 2000, "dtd": 600, "fgvc": 600, "oxford_pets": 600}
QUERY_ROWS = 200
LEFT_OUT = (("oxford_pets", "dtd"), ("fgvc", "sun397"))
TEXT_SETS = ("lvis", "coco", "openimages", "objects365")
"""Order in which the text vector of a class name is looked up."""

CALTECH_ALIASES = {
    "binocular": "binoculars",
    "cellphone": "cell phone",
    "crayfish": "crawfish",
    "electric guitar": "guitar",
    "face": "human face",
    "grand piano": "piano",
    "headphone": "headphones",
    "motorbike": "motorcycle",
    "octopus": "octopus (animal)",
    "panda": "giant panda",
    "rhino": "rhinoceros",
    "rooster": "cock",
    "sea horse": "seahorse",
}
"""Caltech classes that the vocabularies know by another name; with the 40 equal names they make 53."""

Vectors = NDArray[np.float32]
Strings = NDArray[np.str_]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Some labelled vectors of several sets; a label means nothing without its set."""

    x: Vectors
    """(n, d) unit rows."""
    y: Labels
    """(n,) class within the set, -1 where the set gives none."""
    sets: Strings
    """(n,) name of the set of each row."""

    def of(self, name: str) -> Part:
        """Rows of one set."""
        rows = self.sets == name
        return Part(self.x[rows], self.y[rows], self.sets[rows])


@dataclass(frozen=True)
class Split:
    """What trains, what is coded, and the full-precision vectors that search among it."""

    fit: Part
    test: Part
    queries: Part
    means: Part
    """Labelled vectors of the test sets that class means are taken from; never test or query rows."""

    @property
    def mean(self) -> Vectors:
        """(d,) mean of the training vectors, not normalised: the centre of centred cosines."""
        mean: Vectors = self.fit.x.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean

    @property
    def names(self) -> tuple[str, ...]:
        """Sets of the test vectors."""
        return tuple(dict.fromkeys(self.test.sets.tolist()))


@dataclass(frozen=True)
class ZeroShot:
    """Pictures, and one text vector for each of their classes."""

    x: Vectors
    y: Labels
    text: Vectors
    names: tuple[str, ...]
    rows: NDArray[np.intp]
    """Rows of the test part that `x` was taken from."""


def load_split(data: Path = DATA) -> Split:
    """Split every set within itself: 25,447 vectors to fit, 3,800 to code, 800 to search with.

    One generator, one permutation of `test_x` per set in the order of `TEST_ROWS`: the first rows are the
    test, the next 200 the queries.
    """
    rng = np.random.default_rng(0)
    tests, queries = [], []
    for name, rows in TEST_ROWS.items():
        pool = _part(data, name, "test")
        order = rng.permutation(len(pool.x))
        tests.append(_rows(pool, order[:rows]))
        queries.append(_rows(pool, order[rows : rows + QUERY_ROWS]))
    fit = _fit_part(data, FIT_SETS)
    return Split(fit, _join(tests), _join(queries), _fit_part(data, tuple(TEST_ROWS)))


def load_leave_out(data: Path = DATA, left: tuple[str, ...] = LEFT_OUT[0]) -> Split:
    """Leave whole sets out of the fit and test on them.

    Sets with `test_x` give the rows that `load_split` gives (the same generator, the same permutations), so
    figures with and without the set in training compare. A set without (sun397) takes its rows from one
    more permutation, of `val_x`, drawn afterwards in the order of `left`: the first 600 are the test, the
    next 200 the queries; its class means then come from `shots` alone.
    """
    whole, rng = load_split(data), _rng_after_split(data)
    tests, queries, means = [], [], []
    for name in left:
        if name in TEST_ROWS:
            tests.append(whole.test.of(name))
            queries.append(whole.queries.of(name))
            means.append(whole.means.of(name))
            continue
        pool = _part(data, name, "val")
        order = rng.permutation(len(pool.x))
        tests.append(_rows(pool, order[:600]))
        queries.append(_rows(pool, order[600 : 600 + QUERY_ROWS]))
        means.append(_part(data, name, "shots"))
    fit = _fit_part(data, tuple(name for name in FIT_SETS if name not in left))
    return Split(fit, _join(tests), _join(queries), _join(means))


def load_text(data: Path = DATA, names: tuple[str, ...] = ("objects365", "openimages")) -> Vectors:
    """(n, d) text vectors of whole vocabularies; the default ones shape the metric, lvis judges it."""
    return np.concatenate([unit_rows(_text(data, name)["x"]) for name in names])


def load_pool(data: Path = DATA) -> Vectors:
    """(11159, d) all `test_x` of the test sets, shuffled: real vectors to time with."""
    pool = _join([_part(data, name, "test") for name in TEST_ROWS])
    return pool.x[np.random.default_rng(0).permutation(len(pool.x))]


def zero_shot_caltech(split: Split, data: Path = DATA) -> ZeroShot:
    """Caltech test rows whose class has a text vector, and those text vectors.

    A class counts when its name or its alias (`CALTECH_ALIASES`) is, lower-cased, in one of `TEXT_SETS`;
    the first vocabulary that has it gives the vector. That makes 53 classes; all 1,600 such rows of
    `test_x` score 0.965 uncompressed, the 1,304 of them that are in the split's test 0.967.
    """
    known = _caltech_text(data)
    rows = np.flatnonzero((split.test.sets == "caltech101") & np.isin(split.test.y, list(known)))
    return ZeroShot(
        x=split.test.x[rows],
        y=np.searchsorted(list(known), split.test.y[rows]),
        text=np.stack([vector for _, vector in known.values()]),
        names=tuple(name for name, _ in known.values()),
        rows=rows,
    )


def _caltech_text(data: Path) -> dict[int, tuple[str, Vectors]]:
    """Label, in ascending order, to name and text vector of every Caltech class that has one."""
    classes = json.loads((data / "vectors" / "class_names.json").read_text())["caltech101"]
    vectors: dict[str, Vectors] = {}
    for source in TEXT_SETS:
        text = _text(data, source)
        for name, vector in zip(text["names"].tolist(), unit_rows(text["x"]), strict=True):
            vectors.setdefault(name.lower(), vector)
    aliases = [CALTECH_ALIASES.get(name, name) for name in classes]
    return {i: (classes[i], vectors[alias]) for i, alias in enumerate(aliases) if alias in vectors}


def _rng_after_split(data: Path) -> np.random.Generator:
    rng = np.random.default_rng(0)
    for name in TEST_ROWS:
        rng.permutation(len(_vectors(data, name)["test_x"]))
    return rng


def _fit_part(data: Path, names: tuple[str, ...]) -> Part:
    parts = [(name, part) for name in names for part in FIT_PARTS if f"{part}_x" in _vectors(data, name)]
    return _join([_part(data, name, part) for name, part in parts])


def _part(data: Path, name: str, part: str) -> Part:
    file = _vectors(data, name)
    x = unit_rows(file[f"{part}_x"])
    y = file[f"{part}_y"] if f"{part}_y" in file else np.full(len(x), -1)
    return Part(x, y.astype(np.int64), np.full(len(x), name))


def _rows(part: Part, rows: NDArray[np.intp]) -> Part:
    return Part(part.x[rows], part.y[rows], part.sets[rows])


def _join(parts: list[Part]) -> Part:
    return Part(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "y", "sets")))


def _vectors(data: Path, name: str) -> Any:
    return np.load(data / "vectors" / f"{name}.npz")


def _text(data: Path, name: str) -> Any:
    return np.load(data / "text" / f"{name}.npz")
