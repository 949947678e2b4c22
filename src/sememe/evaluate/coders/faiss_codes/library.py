"""The library itself, on one thread and with the seeds that training asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sememe.errors import MissingExtraError

__all__ = ["CENTROIDS", "FEWEST", "load", "one_thread", "quiet"]

CENTROIDS = 256
FEWEST = CENTROIDS
"""A codebook of 256 needs as many vectors."""

_SEED = 1234
"""What FAISS itself uses; seed 0 of a training is this one."""


def load() -> Any:
    """Import FAISS.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import faiss
    except ImportError as exc:
        raise MissingExtraError("this coder needs faiss-cpu: pip install 'sememe[bench]'") from exc
    return faiss


@contextmanager
def one_thread() -> Iterator[Any]:
    """Give FAISS, held to one thread meanwhile."""
    faiss = load()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(before)


def quiet(clustering: Any, seed: int) -> None:
    """Seed clustering parameters, and take few vectors without a word on stderr: the caller was told."""
    clustering.seed = _SEED + seed
    clustering.min_points_per_centroid = 1
