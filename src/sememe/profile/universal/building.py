"""Profiles for vectors of which nothing is known, or nothing but what texts show."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from sememe.code import CodeTables
from sememe.code.tables import FRACTION
from sememe.errors import UsageError, VectorError
from sememe.profile import storage
from sememe.profile.profile import Profile
from sememe.profile.universal.gaussian import quantizer
from sememe.profile.universal.rotation import random_rotation
from sememe.profile.universal.texts import Directions, text_directions
from sememe.rangecoder import TOTAL
from sememe.types import Embeddings, Json

__all__ = ["LARGEST_DIM", "PREFIX", "SMALLEST_DIM", "informed", "named", "universal"]

SMALLEST_DIM, LARGEST_DIM = 32, 1536
PREFIX = "universal/"
"""Of the names of universal profiles."""

_FEWEST_TEXTS = 32
_DIGITS = 9  # of a dimension; a longer one is no number that a person meant
_PROVENANCE = "universal: a random rotation and fixed tables, no vectors"


def universal(dim: int, manifest: Mapping[str, Json] | None = None) -> Profile:
    """Make a profile for vectors of which nothing is known but their dimension.

    The same arguments give the same tables, bit by bit, on every machine.

    Parameters
    ----------
    dim
        Length d of a vector, 32 to 1536.
    manifest
        As in `Profile.fit`; without it the space is "vectors/<d>".

    Raises
    ------
    UsageError
        The dimension is not supported.
    """
    if not SMALLEST_DIM <= dim <= LARGEST_DIM:
        raise UsageError(f"the universal code takes {SMALLEST_DIM} to {LARGEST_DIM} dimensions, not {dim}")
    told: dict[str, Json] = {"profile_id": f"{PREFIX}{dim}", "space_id": f"vectors/{dim}"}
    told |= {"provenance": _PROVENANCE} | dict(manifest or {})
    return Profile(_universal_tables(dim), storage.complete(told))


def named(name: str) -> Profile | None:
    """The profile that "universal/512" or "universal/512@SPACE" names; None for any other name.

    Raises
    ------
    UsageError
        The dimension is missing, or not supported.
    """
    stem, at, space = name.partition("@")
    if stem == PREFIX.rstrip("/"):
        raise UsageError(f"{name}: say of how many dimensions, such as {PREFIX}512{at}{space}")
    dim = stem.removeprefix(PREFIX)
    if not stem.startswith(PREFIX) or not dim.isdecimal() or len(dim) > _DIGITS:
        return None
    return universal(int(dim), {"profile_id": name, "space_id": space} if space else None)


def informed(
    text: Embeddings, manifest: Mapping[str, Json] | None = None, *, mean: NDArray[np.floating] | None = None
) -> Profile:
    """Make a profile that spends bytes first where texts differ, from text vectors alone.

    Everything else is as in `universal`, but for this: the tables follow from a network's floats, so two
    machines may make two profiles. Keep the file, or the archive, which carries it.

    Parameters
    ----------
    text
        (t, d) text vectors of the space, t >= 32; some hundred names of everyday things do.
    manifest
        As in `universal`.
    mean
        (d,) mean of picture vectors of unit length where it is known; zero otherwise.

    Raises
    ------
    VectorError
        The vectors are too few, not finite, or of a dimension that is not supported.
    """
    text = np.asarray(text)
    if text.ndim != 2 or not SMALLEST_DIM <= text.shape[1] <= LARGEST_DIM or len(text) < _FEWEST_TEXTS:
        raise VectorError(
            f"text vectors must be {_FEWEST_TEXTS} or more rows of {SMALLEST_DIM} to {LARGEST_DIM} floats, "
            f"not {text.shape}"
        )
    if not np.isfinite(text).all():
        raise VectorError("text vectors hold values that are not finite")
    dim = text.shape[1]
    centre = np.zeros(dim) if mean is None else np.asarray(mean, np.float64)
    if centre.shape != (dim,) or not np.square(centre).sum() < 1:
        raise VectorError(f"a mean of unit vectors is ({dim},) and shorter than 1")
    told: dict[str, Json] = {"profile_id": "informed", "space_id": f"vectors/{dim}"}
    told |= {"provenance": f"informed: {len(text)} text vectors"} | dict(manifest or {})
    return Profile(_informed_tables(text_directions(text), centre), storage.complete(told))


@lru_cache(maxsize=8)
def _universal_tables(dim: int) -> CodeTables:
    rotation, rounds = random_rotation(dim)
    sigma = (isqrt((4 << 2 * FRACTION.SIGMA) // dim) + 1) // 2  # 1/√d, rounded to nearest
    return _tables(
        metric=np.zeros((0, dim), np.int16),
        identity=1 << FRACTION.METRIC,
        centroid=np.zeros(dim, np.int16),
        basis=rotation,
        steps=np.full(dim, 1 << (FRACTION.STEP - rounds), np.int32),
        sigmas=np.full(dim, sigma, np.int32),
    )


def _informed_tables(directions: Directions, centre: NDArray[np.float64]) -> CodeTables:
    dim = len(centre)
    steps = np.abs(directions.rows).max(axis=1) / 127
    sigmas = np.sqrt(directions.weights * (1 - np.square(centre).sum()) / dim)
    return _tables(
        metric=directions.factor,
        identity=directions.identity,
        centroid=np.rint(centre * (1 << FRACTION.VECTOR)).astype(np.int16),
        basis=np.rint(directions.rows / steps[:, None]).astype(np.int8),
        steps=np.maximum(1, np.rint(steps * (1 << FRACTION.STEP))).astype(np.int32),
        sigmas=np.maximum(1, np.rint(sigmas * (1 << FRACTION.SIGMA))).astype(np.int32),
    )


def _tables(
    *,
    metric: NDArray[np.int16],
    identity: int,
    centroid: NDArray[np.int16],
    basis: NDArray[np.int8],
    steps: NDArray[np.int32],
    sigmas: NDArray[np.int32],
) -> CodeTables:
    """Tables of one mode, which is the universal one and costs no bits to name."""
    return CodeTables.from_arrays(
        {
            "metric": metric,
            "identity": np.array(identity, np.int32),
            "centroids": centroid[None],
            "bases": basis[None],
            "steps": steps[None],
            "sigmas": sigmas[None],
            "mode_frequencies": np.array([TOTAL], np.int32),
            "mode_costs": np.zeros(1, np.int64),
            "mode_limits": np.zeros(1, np.int64),
            "floor": np.array(1, np.int32),
            **quantizer(),
        }
    )
