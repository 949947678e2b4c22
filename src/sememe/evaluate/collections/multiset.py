"""Codes of one length without their order: log₂ n! bits shorter than one after another.

::

    sorted codes ──► a binary tree: how many begin with 0, how many of those with 00, …  ──range coder──►
                     where one code is left, the rest of its bits as they are            ──packed──►

A count at a node with c codes is binomially distributed if codes are even, as those of a good entropy coder
nearly are; the product of these probabilities is that of the multiset, n! / Π multiplicities! times that of
its codes in a row.

Payload: varint n, varint bytes of a code, varint length of the counts, counts, bits.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sememe.errors import FormatError, TruncatedError, UsageError, VectorError
from sememe.evaluate.collections.framing import Kind, Reader, frame, unframe, varint
from sememe.evaluate.collections.splits import split_of
from sememe.rangecoder import TOTAL, Decoder, Encoder
from sememe.types import Codes

__all__ = ["MOST_CODES", "log2_factorial", "pack_multiset", "unpack_multiset"]

MOST_CODES = 1 << 20
_LONGEST = 255
_SLACK = 64  # bits that the end of a message may have saved, and more
Bits = NDArray[np.uint8]


def log2_factorial(n: int) -> float:
    """Bits of the order of n things."""
    return math.lgamma(n + 1) / math.log(2)


def pack_multiset(codes: Codes) -> bytes:
    """Write codes, whatever their order.

    Parameters
    ----------
    codes
        (n, nbytes) uint8, n up to 2**20, nbytes 1 to 255; repetitions are kept.

    Raises
    ------
    VectorError
        Another shape or dtype.
    UsageError
        Too many codes.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.dtype != np.uint8 or not 1 <= codes.shape[1] <= _LONGEST:
        raise VectorError(f"codes must be (n, 1 to {_LONGEST}) uint8, not {codes.shape} {codes.dtype}")
    if len(codes) > MOST_CODES:
        raise UsageError(f"a multiset holds up to {MOST_CODES} codes, not {len(codes)}: make several")
    bits = np.unpackbits(_sorted(codes), axis=1)
    counts, rests = _Counts(), []
    pending = [(0, len(bits), 0)] if len(bits) else []
    while pending:
        low, high, depth = pending.pop()
        if high - low == 1:
            rests.append(bits[low, depth:])
        elif depth < bits.shape[1]:
            middle = high - int(bits[low:high, depth].sum())
            counts.write(high - low, middle - low)
            pending += [
                node for node in ((middle, high, depth + 1), (low, middle, depth + 1)) if node[0] < node[1]
            ]
    message = counts.finish()
    tail = np.packbits(np.concatenate(rests)).tobytes() if rests else b""
    head = varint(len(codes)) + varint(codes.shape[1]) + varint(len(message))
    return frame(Kind.MULTISET, head + message + tail)


def unpack_multiset(data: bytes) -> Codes:
    """Read the codes (n, nbytes), in ascending order.

    Raises
    ------
    FormatError
        The bytes are not what `pack_multiset` writes.
    """
    reader = Reader(unframe(data, Kind.MULTISET))
    n, nbytes = reader.varint(MOST_CODES), reader.varint(_LONGEST)
    if nbytes == 0:
        raise FormatError("the multiset says that its codes have no bytes")
    counts = _CountsRead(reader.take(reader.varint((1 << 32) - 1)))
    leaves = _leaves(counts, n, 8 * nbytes)
    codes = _filled(leaves, n, 8 * nbytes, reader)
    if pack_multiset(codes) != bytes(data):
        raise FormatError("the multiset is not written in the one way there is")
    return codes


class _Counts:
    """Counts at nodes, collected for the range coder."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []

    def write(self, count: int, zeros: int) -> None:
        split = split_of(count)
        place = zeros - split.first
        inside = 0 <= place < len(split.bounds) - 1 - split.escapes
        place = place if inside else len(split.bounds) - 2
        self._add(int(split.bounds[place]), int(split.bounds[place + 1]))
        for bit in [] if inside else reversed(range(count.bit_length())):
            start = zeros >> bit & 1
            self._add(start * TOTAL // 2, (start + 1) * TOTAL // 2)

    def finish(self) -> bytes:
        starts, stops = np.array(self._starts, np.int64), np.array(self._stops, np.int64)
        bits = float(-np.log2((stops - starts) / TOTAL).sum())
        encoder = Encoder(1, int(bits / 8 * 1.001) + 16)
        for start, stop in zip(starts[:, None], stops[:, None], strict=True):
            encoder.encode(start, stop)
        codes, lengths = encoder.finish()
        return codes[0, : lengths[0]].tobytes()

    def _add(self, start: int, stop: int) -> None:
        self._starts.append(start)
        self._stops.append(stop)


class _CountsRead:
    """The same, read."""

    def __init__(self, message: bytes) -> None:
        self._decoder = Decoder(np.frombuffer(message, np.uint8)[None], complete=True)
        self._most = 8 * len(message) + _SLACK

    def read(self, count: int) -> int:
        self._most -= 1  # no share is larger than a half
        if self._most < 0:
            raise TruncatedError("the counts of the multiset end too early")
        split = split_of(count)
        place = self._symbol(split.bounds[1:-1])
        if not split.escapes or place < len(split.bounds) - 2:
            return split.first + place
        zeros = 0
        for _ in range(count.bit_length()):
            zeros = 2 * zeros + self._symbol(np.array([TOTAL // 2]))
        if zeros > count:
            raise FormatError(f"the multiset says that {zeros} of {count} codes go on with a 0")
        return zeros

    def _symbol(self, inner: NDArray[np.int64]) -> int:
        symbol, _ = self._decoder.decode(list(inner))
        return int(symbol[0])


def _sorted(codes: Codes) -> Codes:
    return codes[np.lexsort(codes.T[::-1])]


def _leaves(counts: _CountsRead, n: int, length: int) -> list[tuple[int, int, int]]:
    """Nodes that are not divided, in order: depth, how many codes, and the bits so far as an integer."""
    leaves, pending = [], [(n, 0, 0)] if n else []
    while pending:
        count, depth, prefix = pending.pop()
        if count == 1 or depth == length:
            leaves.append((depth, count, prefix))
            continue
        zeros = counts.read(count)
        if zeros < count:
            pending.append((count - zeros, depth + 1, 2 * prefix + 1))
        if zeros:
            pending.append((zeros, depth + 1, 2 * prefix))
    return leaves


def _filled(leaves: list[tuple[int, int, int]], n: int, length: int, reader: Reader) -> Codes:
    """Codes from their leaves and the bits that follow."""
    missing = sum(length - depth for depth, count, _ in leaves if count == 1)
    tail = reader.take(-(-missing // 8))
    reader.end()
    rest = np.unpackbits(np.frombuffer(tail, np.uint8))
    codes = np.zeros((n, length // 8), np.uint8)
    row = at = 0
    for depth, count, prefix in leaves:
        bits = np.zeros(length, np.uint8)
        bits[:depth] = (
            np.frombuffer(format(prefix, f"0{depth}b").encode(), np.uint8) - ord("0") if depth else 0
        )
        if count == 1:
            bits[depth:] = rest[at : at + length - depth]
            at += length - depth
        codes[row : row + count] = np.packbits(bits)
        row += count
    return codes
