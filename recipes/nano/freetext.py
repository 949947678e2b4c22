"""How far free text reaches: the queries of `freetext.toml` against the package's everyday words."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np

from sememe.zeroshot import EVERYDAY

from .measure import percent

#: From n texts to unit rows (n, d).
Embed: TypeAlias = Callable[[list[str]], np.ndarray]


def queries() -> dict[str, dict[str, list[str]]]:
    """Return, for each kind, the wanted names of each query."""
    kinds = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
    return {kind: dict(map(_query, text.strip().splitlines())) for kind, text in kinds.items()}


def _query(line: str) -> tuple[str, list[str]]:
    query, names = line.split(": ")
    return query, names.split(", ")


def shares(kinds: dict[str, dict[str, list[str]]], embed: Embed) -> dict[str, dict[str, float]]:
    """Return, for each kind, how often in percent the wanted names come first, and how often among five."""
    wanted_names = {n for wanted in kinds.values() for names in wanted.values() for n in names}
    names = np.array(sorted({*EVERYDAY, *wanted_names}))
    vectors = embed(names.tolist())
    report: dict[str, dict[str, float]] = {}
    for kind, wanted in kinds.items():
        order = np.argsort(-(embed(list(wanted)) @ vectors.T), axis=1)
        found = [
            [(names[row[:k]][:, None] == w).any(0).all() for k in (len(w), 5)]
            for row, w in zip(order, wanted.values(), strict=True)
        ]
        first, five = np.mean(found, axis=0)
        report[kind] = {"queries": len(wanted), "first": percent(first), "five": percent(five)}
    return report


def measure(student: Embed, teacher: Embed) -> dict[str, object]:
    """Return the shares of the shipped text encoder and of its teacher."""
    kinds = queries()
    return {"nano": shares(kinds, student), "text_teacher": shares(kinds, teacher)}
