"""FORMAT.md, "The code", read literally: a second decoder, in plain Python, must agree in every bit."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from operator import add

import numpy as np
import pytest

from sememe.code import CodeTables
from sememe.profile import load

TOTAL = 65_536


class PlainDecoder:
    """Steps 1 and 2: a range decoder over whole numbers, one symbol at a time."""

    def __init__(self, code: bytes) -> None:
        self._code = code
        self._taken = 6
        self._first = int.from_bytes((code + bytes(6))[:6], "big")
        self._last = int.from_bytes((code + b"\xff" * 6)[:6], "big")
        self._range = 1 << 48

    def decode(self, frequencies: list[int]) -> tuple[int | None, list[Fraction]]:
        """The symbol, or None and the probabilities of the candidates."""
        part = self._range // TOTAL
        ends = [part * sum(frequencies[: n + 1]) for n in range(len(frequencies))]
        ends[-1] = self._range
        starts = [0, *ends[:-1]]
        for symbol, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if start <= self._first and self._last < end:
                self._first -= start
                self._last -= start
                self._range = end - start
                self._refill()
                return symbol, []
        cell = self._last + 1 - self._first
        overlaps = [
            max(0, min(self._last + 1, end) - max(self._first, start))
            for start, end in zip(starts, ends, strict=True)
        ]
        return None, [Fraction(overlap, cell) for overlap in overlaps]

    def _refill(self) -> None:
        while self._range < 1 << 32:
            self._range <<= 16
            self._first = (self._first << 16) + self._word(0x00)
            self._last = (self._last << 16) + self._word(0xFF)
            self._taken += 2

    def _word(self, padding: int) -> int:
        return int.from_bytes((self._code[self._taken : self._taken + 2] + bytes([padding]) * 2)[:2], "big")


def decode(tables: CodeTables, code: bytes) -> np.ndarray:
    """Steps 3 to 6."""
    decoder = PlainDecoder(code)
    mode, _ = decoder.decode(tables.mode_frequencies.tolist())
    nothing = [0] * tables.coefficients
    if mode is None:
        last = len(tables.bases) - 1
        return vector(tables, last, place(tables, last, tables.shifts[last, 0].tolist()), nothing)
    shares_of = tables.prototype_frequencies[mode].tolist()
    prototype, shares = decoder.decode([share for share in shares_of if share])
    if prototype is None:
        mean = [0.0] * tables.dim
        for share, shift in zip(shares, tables.shifts[mode].tolist(), strict=False):
            mean = [m + float(share) * s for m, s in zip(mean, shift, strict=True)]
        return vector(tables, mode, place(tables, mode, [round(m) for m in mean]), nothing)
    ranks = len(tables.gains)
    worth = [
        (-((int(sigma) ** 2 // 1024) * int(gain)), j * ranks + r)
        for j, sigma in enumerate(tables.sigmas[mode])
        for r, gain in enumerate(tables.gains)
    ]
    intervals = [0] * tables.coefficients
    expected: dict[int, int] = {}
    for _, visit in sorted(worth):
        j, rank = divmod(visit, ranks)
        interval = intervals[j]
        if tables.ranks[interval] != rank:
            continue
        children = [int(child) for child in tables.children[interval] if child >= 0]
        symbol, shares = decoder.decode(tables.frequencies[interval, : len(children)].tolist())
        if symbol is None:
            products = [float(p) * float(tables.means[c]) for p, c in zip(shares, children, strict=True)]
            expected[j] = round(reduce(add, products))  # `sum` compensates its rounding
            break
        intervals[j] = children[symbol]
    units = [expected.get(j, int(tables.means[interval])) for j, interval in enumerate(intervals)]
    return vector(tables, mode, place(tables, mode, tables.shifts[mode, prototype].tolist()), units)


def place(tables: CodeTables, mode: int, shift: list[int]) -> list[int]:
    step = int(tables.shift_steps[mode])
    return [
        centre + step * moved for centre, moved in zip(tables.centroids[mode].tolist(), shift, strict=True)
    ]


def vector(tables: CodeTables, mode: int, where: list[int], units: list[int]) -> np.ndarray:
    x = [entry << 14 for entry in where]
    for j, unit in enumerate(units):
        if unit == 0:
            continue
        c = round(Fraction(unit * int(tables.sigmas[mode, j]) * int(tables.steps[mode, j]), 1 << 28))
        for i, entry in enumerate(tables.bases[mode, j].tolist()):
            x[i] += c * entry
    entries = [round(Fraction(entry, 1 << 10)) for entry in x]
    length = math.sqrt(sum(entry * entry for entry in entries))
    return np.array([entry / max(length, 1.0) for entry in entries]).astype(np.float32)


@pytest.mark.parametrize("name", ["nano", "clip-vit-b32"])
def test_a_decoder_written_from_the_page_agrees_bit_for_bit(name):
    profile = load(name)
    rng = np.random.default_rng(0)
    for nbytes in (0, 1, 2, 3, 4, 7, 8, 16, 33, 64):
        codes = rng.integers(0, 256, (3, nbytes), np.uint8)
        ours = profile.decode(codes)
        for code, x in zip(codes, ours, strict=True):
            plain = decode(profile.tables, code.tobytes())
            assert plain.tobytes() == x.tobytes(), (nbytes, code.tobytes().hex())
