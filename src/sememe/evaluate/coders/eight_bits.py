"""Eight bits a number: whole vectors, their first dimensions, or their leading principal coefficients.

Ranges are those of the training vectors and stay as they are: what lies beyond is clipped.

Source: the scalar quantization of sentence-transformers (`quantize_embeddings`, precision int8), which takes
ranges from the batch at hand unless told otherwise, and truncation as in Kusupati et al., "Matryoshka
representation learning", NeurIPS 2022, here of vectors that were not trained for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.centred import Centred, principal
from sememe.evaluate.coders.fixed import FixedFitted, FixedTrained, FloatTables
from sememe.types import Codes

__all__ = ["Int8", "PcaInt8", "Truncate"]

Floats = NDArray[np.float32]
_LEVELS = 256


class Int8:
    """Every dimension in 8 bits."""

    name = "int8"
    title = "int8, frozen ranges"
    length: Length = "fixed"
    source = "sentence-transformers, quantize_embeddings"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """One: a byte for each dimension."""
        return (float(dim),)

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Take the range of each dimension."""
        centred = Centred.of(training)
        return FixedTrained(self, centred.dim, lambda nbytes, _: _fit_dimensions(centred, nbytes))


class Truncate:
    """The first n dimensions in 8 bits each; the others decode to their mean."""

    name = "truncate"
    title = "first dimensions, int8"
    length: Length = "fixed"
    source = "Kusupati et al., NeurIPS 2022; sentence-transformers, truncate_dim"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """One byte for each dimension that is kept."""
        return tuple(float(n) for n in range(1, dim + 1))

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Take the range of each dimension."""
        centred = Centred.of(training)
        return FixedTrained(self, centred.dim, lambda nbytes, _: _fit_dimensions(centred, nbytes))


class PcaInt8:
    """The leading n principal coefficients in 8 bits each."""

    name = "pca-int8"
    title = "leading principal coefficients, int8"
    length: Length = "fixed"
    source = "principal components; sentence-transformers, quantize_embeddings"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """One byte for each coefficient that is kept."""
        return tuple(float(n) for n in range(1, dim + 1))

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Find the principal directions and take the range of each coefficient."""
        centred = Centred.of(training)
        return FixedTrained(self, centred.dim, lambda nbytes, _: _fit_principal(centred, nbytes))


def _fit_dimensions(centred: Centred, nbytes: int) -> FixedFitted:
    tables = _ranges(centred.rows[:, :nbytes])

    def encode(rows: Floats) -> Codes:
        return _quantize(rows[:, :nbytes], tables)

    return FixedFitted(nbytes, tables, encode, _decode_dimensions, centred)


def _fit_principal(centred: Centred, nbytes: int) -> FixedFitted:
    basis, _ = principal(centred.rows, nbytes)
    tables = _ranges(centred.rows @ basis.T)

    def encode(rows: Floats) -> Codes:
        return _quantize(rows @ basis.T, tables)

    return FixedFitted(nbytes, {**tables, "basis": basis}, encode, _decode_principal, centred)


def _ranges(values: Floats) -> FloatTables:
    """Smallest value of each column of (n, k), and the step from there to the largest in 255 steps."""
    low, high = values.min(axis=0), values.max(axis=0)
    return {"low": low, "step": (high - low) / np.float32(_LEVELS - 1)}


def _quantize(values: Floats, tables: FloatTables) -> Codes:
    """Nearest level of each value (n, k)."""
    step = tables["step"]
    levels = np.divide(values - tables["low"], step, out=np.zeros_like(values), where=step > 0)
    codes: Codes = np.rint(levels).clip(0, _LEVELS - 1).astype(np.uint8)
    return codes


def _levels(tables: FloatTables, codes: Codes) -> Floats:
    values: Floats = tables["low"] + codes.astype(np.float32) * tables["step"]
    return values


def _decode_dimensions(tables: FloatTables, codes: Codes) -> Floats:
    kept = _levels(tables, codes)
    return np.pad(kept, ((0, 0), (0, len(tables["mean"]) - kept.shape[1])))


def _decode_principal(tables: FloatTables, codes: Codes) -> Floats:
    rows: Floats = _levels(tables, codes) @ tables["basis"]
    return rows
