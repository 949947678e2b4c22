"""RaBitQ: one sign a dimension after a random rotation, and two floats a vector."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.centred import Centred, principal, random_rotation
from sememe.evaluate.coders.faiss_codes.library import load, one_thread
from sememe.evaluate.coders.fixed import Encode, FixedFitted, FixedTrained, FloatTables
from sememe.types import Codes

__all__ = ["RaBitQ"]

Floats = NDArray[np.float32]
_FACTORS = 8
"""Bytes of two float32 that FAISS stores with every vector: squared length, and length over projection."""


class RaBitQ:
    """RaBitQ of FAISS, its float factors counted: n bytes are 8 (n - 8) signs and 8 bytes of factors.

    The rate is set by keeping that many principal directions, turned at random. A vector decodes to its
    projection on its sign pattern, whose length the two factors give. Only the version of one bit: in FAISS
    1.15.1 the others decode from their first bit alone.

    Source: Gao, Long, "RaBitQ: quantizing high-dimensional vectors with a theoretical error bound for
    approximate nearest neighbor search", SIGMOD 2024.
    """

    name = "rabitq"
    title = "RaBitQ, 1 bit (FAISS), float factors counted"
    length: Length = "fixed"
    source = "Gao and Long, SIGMOD 2024; FAISS"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """From 9 bytes (8 signs) to one sign for each dimension."""
        return tuple(float(_FACTORS + n) for n in range(1, dim // 8 + 1))

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Keep the vectors; nothing is learned but mean and principal directions."""
        load()
        centred = Centred.of(training)
        return FixedTrained(self, centred.dim, lambda nbytes, _: _fit(centred, nbytes))


def _fit(centred: Centred, nbytes: int) -> FixedFitted:
    count = 8 * (nbytes - _FACTORS)
    basis, _ = principal(centred.rows, count)
    projection = random_rotation(count, np.random.default_rng(centred.seed)) @ basis
    with one_thread() as faiss:
        index = faiss.IndexRaBitQ(count, faiss.METRIC_L2)
        index.train(np.zeros((1, count), np.float32))  # the centre, and it is 0: rows come centred
    return FixedFitted(nbytes, {"projection": projection}, _encoder(index, projection), _decode, centred)


def _encoder(index: Any, projection: Floats) -> Encode:
    def encode(rows: Floats) -> Codes:
        with one_thread():
            codes: Codes = index.sa_encode(np.ascontiguousarray(rows @ projection.T))
        return codes

    return encode


def _decode(tables: FloatTables, codes: Codes) -> Floats:
    projection = tables["projection"]
    payload, factors = codes[:, :-_FACTORS], np.ascontiguousarray(codes[:, -_FACTORS:]).view("<f4")
    signs = np.unpackbits(payload, axis=1, bitorder="little").astype(np.float32) * 2 - 1
    square, ratio = factors[:, :1], factors[:, 1:]
    lengths = np.divide(square, ratio, out=np.zeros_like(square), where=ratio > 0)
    rows: Floats = (signs * lengths / np.float32(np.sqrt(signs.shape[1]))) @ projection
    return rows
