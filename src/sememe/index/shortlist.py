"""A shortlist: coarse copies of all vectors, scanned in milliseconds, name the few rows worth decoding.

::

    u (d,) ─project─► y (D,) ─product quantizer, 4 bits a pair of numbers─► row of the shortlist
    query ─────────► table of 16 products a pair ─fast scan (FAISS)──────► the likeliest rows

A decoded vector varies in few directions, so most of it lies in the `WIDTH` strongest; a random rotation
spreads its variance over all pairs, so that four bits serve each of them alike. Fast scan: André et al.,
*Quicker ADC* (2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sememe.errors import MissingExtraError, VectorError

__all__ = ["TRAINING", "Shortlist"]

WIDTH = 256
"""Directions kept, two of them to four bits."""

TRAINING = 20_000
"""Vectors that a shortlist learns from; more change nothing."""

_CENTROIDS, _PAIR, _ROUNDS, _SEED = 16, 2, 10, 0

Floats = NDArray[np.float32]
Packed = NDArray[np.uint8]


class Shortlist:
    """Coarse codes of n unit vectors (d,), in the order in which they were given.

    Parameters
    ----------
    basis
        (d, D) float32, orthonormal columns.
    centroids
        (D / 2, 16, 2) float32.
    codes
        (n, D / 4) uint8, two pairs of directions a byte.

    Raises
    ------
    VectorError
        The shapes or types do not fit together.
    """

    def __init__(self, basis: Floats, centroids: Floats, codes: Packed) -> None:
        width = basis.shape[1] if basis.ndim == 2 else -1
        fits = (
            basis.dtype == centroids.dtype == np.float32
            and codes.dtype == np.uint8
            and width > 0
            and width % 4 == 0
            and centroids.shape == (width // _PAIR, _CENTROIDS, _PAIR)
            and codes.ndim == 2
            and codes.shape[1] == width // 4
        )
        if not fits:
            raise VectorError("these arrays are no shortlist")
        self.basis, self.centroids, self.codes = basis, centroids, codes

    @classmethod
    def train(cls, x: Floats) -> Self:
        """Learn from vectors (n, d), and hold none of them yet.

        Raises
        ------
        VectorError
            Fewer than 256 vectors.
        MissingExtraError
            FAISS is not installed.
        """
        if x.ndim != 2 or len(x) < 256:
            raise VectorError(f"a shortlist learns from 256 vectors or more, not from shape {x.shape}")
        basis = _basis(x, min(WIDTH, x.shape[1] // 4 * 4))
        quantizer = _quantizer(basis.shape[1])
        quantizer.cp.niter, quantizer.cp.seed = _ROUNDS, _SEED
        quantizer.cp.min_points_per_centroid = 1
        quantizer.train(np.ascontiguousarray(x @ basis))
        faiss = load_faiss()
        centroids = faiss.vector_to_array(quantizer.centroids).reshape(-1, _CENTROIDS, _PAIR)
        return cls(basis, centroids, np.zeros((0, basis.shape[1] // 4), np.uint8))

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """All that a shortlist is, under the names of its parameters."""
        return {"basis": self.basis, "centroids": self.centroids, "codes": self.codes}

    def __len__(self) -> int:
        return len(self.codes)

    def encode(self, x: Floats) -> Packed:
        """Coarse codes (n, D / 4) of unit vectors (n, d)."""
        codes: Packed = self._quantizer.compute_codes(np.ascontiguousarray(x @ self.basis))
        return codes

    def holding(self, codes: Packed) -> Self:
        """Return the same shortlist with these codes."""
        return type(self)(self.basis, self.centroids, codes)

    def scan(self, direction: Floats, k: int) -> tuple[NDArray[np.int64], Floats]:
        """Find the k rows likeliest to have the largest product with a direction (d,).

        Returns
        -------
        rows
            (k,) int64, best first; all of them where there are fewer.
        products
            (k,) float32, roughly.
        """
        projected = np.ascontiguousarray((direction @ self.basis)[None], np.float32)
        products, rows = self._scanner.search(projected, min(k, len(self)))
        found = rows[0] >= 0
        return rows[0][found], products[0][found]

    @cached_property
    def _quantizer(self) -> Any:
        quantizer = _quantizer(self.basis.shape[1])
        load_faiss().copy_array_to_vector(self.centroids.ravel(), quantizer.centroids)
        return quantizer

    @cached_property
    def _scanner(self) -> Any:
        faiss = load_faiss()
        flat = faiss.IndexPQ(self.basis.shape[1], len(self.centroids), 4, faiss.METRIC_INNER_PRODUCT)
        faiss.copy_array_to_vector(self.centroids.ravel(), flat.pq.centroids)
        flat.is_trained = True
        flat.add_sa_codes(np.ascontiguousarray(self.codes))
        return faiss.IndexPQFastScan(flat)


def load_faiss() -> Any:
    """Import FAISS, held to one thread.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import faiss
    except ImportError as exc:
        raise MissingExtraError("a shortlist needs FAISS: pip install faiss-cpu") from exc
    faiss.omp_set_num_threads(1)
    return faiss


def _quantizer(width: int) -> Any:
    return load_faiss().ProductQuantizer(width, width // _PAIR, 4)


def _basis(x: Floats, width: int) -> Floats:
    """Strongest directions (d, width) of vectors, turned at random among themselves."""
    rng = np.random.default_rng(_SEED)
    sample = x[rng.choice(len(x), min(len(x), TRAINING), replace=False)].astype(np.float64)
    directions = np.linalg.eigh(sample.T @ sample)[1][:, ::-1][:, :width]
    turn = np.linalg.qr(rng.standard_normal((width, width)))[0]
    basis: Floats = (directions @ turn).astype(np.float32)
    return basis
