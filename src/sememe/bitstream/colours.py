"""The colour layout: where which colours lie in a picture, in some nine bytes of a `.sem` file.

::

    square (64, 64, 3) ─means of 8 x 8 blocks, YCbCr, DCT─► 22 steps ─range coder─► value of the extension

The idea of a small colour map beside the meaning is CoCliCo's (Bachard, Bordin and Maugey 2024); the
descriptor is close to MPEG-7's colour layout (ISO/IEC 15938-3). FORMAT.md lays down the bytes.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from sememe.errors import ExtensionError
from sememe.rangecoder import TOTAL, Decoder, Encoder

__all__ = ["COUNT", "LIMIT", "MAX_BYTES", "measure", "pack_colours", "paint", "read_colours"]

LIMIT = 64
"""Steps lie in -LIMIT..LIMIT."""

MAX_BYTES = 16

_GRID = 8
_STEP = (32, 16, 16)
"""Worth of a step, for Y, Cb and Cr."""

_FADING = ((228, 186, 169, 122), (205, 116, 99), (205, 116, 99))
"""For each plane and order: a step one farther from 0 is that many 256ths as likely."""

_ENTRIES = tuple(
    (plane, row, order - row)
    for order in range(4)
    for plane in range(3)
    if order < len(_FADING[plane])
    for row in range(order + 1)
)
"""Plane, vertical and horizontal frequency of each step, in the order of coding: the coarse first."""

COUNT = len(_ENTRIES)

_LUMA = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
_GREY = np.array([128.0, 0.0, 0.0])


def measure(squares: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Measure the steps of square pictures.

    Parameters
    ----------
    squares : (n, side, side, 3) uint8
        RGB; side is a multiple of 8.

    Returns
    -------
    (n, 22) int64 in -LIMIT..LIMIT
    """
    n, side = squares.shape[:2]
    block = side // _GRID
    means = squares.reshape(n, _GRID, block, _GRID, block, 3).mean((2, 4))
    planes = means @ _LUMA.T - _GREY
    waves = np.einsum("ui,nijp,vj->npuv", _dct(), planes, _dct())
    steps = [waves[:, p, u, v] / _STEP[p] for p, u, v in _ENTRIES]
    whole: NDArray[np.int64] = np.rint(np.stack(steps, axis=1)).clip(-LIMIT, LIMIT).astype(np.int64)
    return whole


def paint(steps: NDArray[np.integer], side: int = 64) -> NDArray[np.uint8]:
    """Paint smooth pictures (n, side, side, 3) uint8 of steps (n, 22)."""
    waves = np.zeros((len(steps), 3, _GRID, _GRID))
    for column, (p, u, v) in zip(steps.T, _ENTRIES, strict=True):
        waves[:, p, u, v] = column * _STEP[p]
    curve = _dct(side)
    planes = np.einsum("ui,npuv,vj->nijp", curve, waves, curve) + _GREY
    pixels: NDArray[np.uint8] = np.rint(planes @ np.linalg.inv(_LUMA).T).clip(0, 255).astype(np.uint8)
    return pixels


def pack_colours(steps: NDArray[np.integer]) -> bytes:
    """Code the 22 steps of one picture into at most MAX_BYTES; the finest give way where they do not fit.

    Raises
    ------
    ExtensionError
        There are not 22 steps, or one is beyond LIMIT.
    """
    if steps.shape != (COUNT,) or np.abs(steps).max() > LIMIT:
        raise ExtensionError(f"a colour layout holds {COUNT} steps from {-LIMIT} to {LIMIT}")
    kept = np.array(steps)
    for last in range(COUNT, -1, -1):
        kept[last:] = 0
        value = _coded(kept)
        if len(value) <= MAX_BYTES:
            break
    return value


def read_colours(value: bytes) -> NDArray[np.int64]:
    """Return the 22 steps that the value of a colour layout codes.

    Raises
    ------
    ExtensionError
        It is longer than MAX_BYTES, or no writer would have written it.
    """
    if len(value) > MAX_BYTES:
        raise ExtensionError(f"a colour layout takes at most {MAX_BYTES} bytes, not {len(value)}")
    decoder = Decoder(np.frombuffer(value, np.uint8)[None], complete=True)
    steps = np.empty(COUNT, np.int64)
    for i, (plane, row, column) in enumerate(_ENTRIES):
        symbols, _ = decoder.decode(_starts(_FADING[plane][row + column])[1:-1])
        steps[i] = symbols[0] - LIMIT
    if _coded(steps) != value:
        raise ExtensionError(f"{value.hex()!r} is not a colour layout")
    return steps


def _coded(steps: NDArray[np.integer]) -> bytes:
    encoder = Encoder(1, 64)
    for step, (plane, row, column) in zip(steps.tolist(), _ENTRIES, strict=True):
        starts = _starts(_FADING[plane][row + column])
        encoder.encode(*(np.array([starts[step + LIMIT + i]]) for i in (0, 1)))
    codes, lengths = encoder.finish()
    return codes[0, : lengths[0]].tobytes()


@cache
def _starts(fading: int) -> list[int]:
    """Where the share of each step begins, and the last one ends: 2 * LIMIT + 2 integers from 0 to TOTAL."""
    half = list(accumulate(range(LIMIT), lambda weight, _: weight * fading >> 8, initial=1 << 15))
    weights = half[:0:-1] + half
    spare = TOTAL - len(weights)
    shares = [weight * spare // sum(weights) + 1 for weight in weights]
    shares[LIMIT] += TOTAL - sum(shares)
    return list(accumulate(shares, initial=0))


def _dct(side: int = _GRID) -> NDArray[np.float64]:
    """Return rows of the orthonormal DCT-II of 8 points, sampled at `side` points: (8, side)."""
    places, rates = (np.arange(side) + 0.5) / side, np.arange(_GRID)
    rows: NDArray[np.float64] = 0.5 * np.cos(np.pi * rates[:, None] * places)
    rows[0] /= np.sqrt(2)
    return rows
