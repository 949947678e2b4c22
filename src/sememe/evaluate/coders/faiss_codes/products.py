"""Product codes: a vector in pieces, each with a codebook of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.centred import Centred
from sememe.evaluate.coders.faiss_codes.library import CENTROIDS, FEWEST, load, one_thread, quiet
from sememe.evaluate.coders.fixed import FixedFitted, FixedTrained, FloatTables
from sememe.types import Codes

__all__ = ["OptimizedProduct", "Product", "ProductResidual"]

Floats = NDArray[np.float32]
_STAGES = 4
"""Residual stages in each piece of a product-residual code."""

_AS_IT_IS: Floats = np.zeros((0, 0), np.float32)
"""Stands for no rotation."""


class Product:
    """PQ: as many equal pieces as bytes.

    Source: Jegou, Douze, Schmid, "Product quantization for nearest neighbor search", TPAMI 2011.
    """

    name = "pq"
    title = "product quantization (FAISS PQ)"
    length: Length = "fixed"
    source = "Jegou et al., TPAMI 2011; FAISS"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Bytes that divide the dimension."""
        return _divisors(dim)

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Keep the vectors; codebooks are trained for each rate."""
        load()
        centred = Centred.of(training, FEWEST)
        return FixedTrained(self, centred.dim, lambda nbytes, _: _fit_product(centred, nbytes))


class OptimizedProduct:
    """OPQ: a learned rotation, then PQ; FAISS's training as it is, which takes a minute or two a rate.

    Source: Ge, He, Ke, Sun, "Optimized product quantization", CVPR 2013.
    """

    name = "opq"
    title = "optimized product quantization (FAISS OPQ)"
    length: Length = "fixed"
    source = "Ge et al., CVPR 2013; FAISS"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Bytes that divide the dimension."""
        return _divisors(dim)

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Keep the vectors; rotation and codebooks are trained for each rate."""
        load()
        centred = Centred.of(training, FEWEST)
        return FixedTrained(self, centred.dim, lambda nbytes, note: _fit_optimized(centred, nbytes, note))


class ProductResidual:
    """PRQ: OPQ's rotation, pieces of four bytes, and four residual stages in each.

    Source: Babenko, Lempitsky, "Additive quantization for extreme vector compression", CVPR 2014, split into
    pieces as FAISS does.
    """

    name = "prq"
    title = "product-residual quantization (FAISS OPQ + PRQ)"
    length: Length = "fixed"
    source = "Babenko and Lempitsky, CVPR 2014; FAISS"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Multiples of four bytes whose quarter divides the dimension."""
        return tuple(_STAGES * pieces for pieces in _divisors(dim) if dim // pieces >= _STAGES)

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Keep the vectors; rotation and codebooks are trained for each rate."""
        load()
        centred = Centred.of(training, FEWEST)
        return FixedTrained(self, centred.dim, lambda nbytes, note: _fit_residual(centred, nbytes, note))


def _divisors(dim: int) -> tuple[float, ...]:
    return tuple(float(n) for n in range(1, dim + 1) if dim % n == 0)


def _fit_product(centred: Centred, nbytes: int) -> FixedFitted:
    quantizer = _train_product(centred.rows, nbytes, centred.seed)
    return _fitted(centred, nbytes, quantizer, _AS_IT_IS, _pieces(quantizer, nbytes, 1))


def _fit_optimized(centred: Centred, nbytes: int, note: Note) -> FixedFitted:
    rotation = _train_rotation(centred, nbytes, note)
    quantizer = _train_product(_turn(centred.rows, rotation), nbytes, centred.seed)
    return _fitted(centred, nbytes, quantizer, rotation, _pieces(quantizer, nbytes, 1))


def _fit_residual(centred: Centred, nbytes: int, note: Note) -> FixedFitted:
    pieces = nbytes // _STAGES
    rotation = _train_rotation(centred, pieces, note) if pieces > 1 else _AS_IT_IS
    turned = _turn(centred.rows, rotation)
    with one_thread() as faiss:
        quantizer = faiss.ProductResidualQuantizer(centred.dim, pieces, _STAGES, 8)
        for piece in range(pieces):
            quiet(faiss.downcast_AdditiveQuantizer(quantizer.subquantizer(piece)).cp, centred.seed)
        quantizer.train(turned)
    return _fitted(centred, nbytes, quantizer, rotation, _pieces(quantizer, pieces, _STAGES))


def _train_product(rows: Floats, pieces: int, seed: int) -> Any:
    with one_thread() as faiss:
        quantizer = faiss.ProductQuantizer(rows.shape[1], pieces, 8)
        quiet(quantizer.cp, seed)
        quantizer.train(rows)
    return quantizer


def _train_rotation(centred: Centred, pieces: int, note: Note) -> Floats:
    """Orthonormal (d, d) that makes pieces as independent and as even as FAISS can."""
    dim = centred.dim
    note(f"training a rotation for {pieces} pieces")
    with one_thread() as faiss:
        matrix = faiss.OPQMatrix(dim, pieces)
        inner = faiss.ProductQuantizer(dim, pieces, 8)
        quiet(inner.cp, centred.seed)
        matrix.pq = inner
        matrix.train(centred.rows)
        rotation: Floats = faiss.vector_to_array(matrix.A).reshape(dim, dim)
    return rotation


def _turn(rows: Floats, rotation: Floats) -> Floats:
    return np.ascontiguousarray(rows @ rotation.T) if rotation.size else rows


def _pieces(quantizer: Any, pieces: int, stages: int) -> Floats:
    """Codebooks (pieces, stages, 256, d / pieces)."""
    with one_thread() as faiss:
        kept = quantizer.centroids if stages == 1 else quantizer.codebooks
        codebooks: Floats = faiss.vector_to_array(kept).reshape(pieces, stages, CENTROIDS, -1)
    return codebooks


def _fitted(
    centred: Centred, nbytes: int, quantizer: Any, rotation: Floats, codebooks: Floats
) -> FixedFitted:
    def encode(rows: Floats) -> Codes:
        turned = _turn(rows, rotation)
        with one_thread():
            codes: Codes = quantizer.compute_codes(turned)
        return codes

    tables = {"codebooks": codebooks} | ({"rotation": rotation} if rotation.size else {})
    return FixedFitted(nbytes, tables, encode, _decode, centred)


def _decode(tables: FloatTables, codes: Codes) -> Floats:
    codebooks = tables["codebooks"]
    pieces, stages, _, _ = codebooks.shape
    parts = []
    for piece in range(pieces):
        part = sum(codebooks[piece, stage][codes[:, piece * stages + stage]] for stage in range(stages))
        parts.append(part)
    rows: Floats = np.concatenate(parts, axis=1)
    return rows @ tables["rotation"] if "rotation" in tables else rows
