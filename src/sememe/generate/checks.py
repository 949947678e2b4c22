"""What every generator asks of a call, and whether vectors are of the space that it draws from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sememe.errors import ProfileMismatchError, UsageError, VectorError
from sememe.generate.catalogue import fitting
from sememe.generate.spaces import same_space

if TYPE_CHECKING:
    from sememe.types import Embeddings

__all__ = ["MAX_SEED", "check_call", "check_space"]

MAX_SEED = 2**63 - 1
"""Largest seed that every random generator in use takes."""

_UNIT = 1e-3


def check_call(x: Embeddings, dim: int, *, seed: int, steps: int | None, fidelity: float | None) -> None:
    """Refuse vectors that are not (n, dim) unit rows, and options out of range.

    Raises
    ------
    VectorError, UsageError
    """
    if x.ndim != 2 or x.shape[1] != dim:
        raise VectorError(f"this generator draws from vectors (n, {dim}), not {x.shape}")
    if not np.all(np.abs(np.linalg.norm(x, axis=1) - 1) < _UNIT):
        raise VectorError("a vector to draw from is not finite or not of unit length; divide it by its norm")
    if not 0 <= seed <= MAX_SEED - len(x):
        raise UsageError(f"seed {seed} is not in 0..{MAX_SEED - len(x)}")
    if steps is not None and not 1 <= steps <= 1000:
        raise UsageError(f"{steps} steps: give 1 to 1000")
    if fidelity is not None and not 0 < fidelity <= 1:
        raise UsageError(f"a fidelity is a cosine above 0 and up to 1, not {fidelity}")


def check_space(generator_id: str, drawn_from: str, profile_id: str, space_id: str) -> None:
    """Refuse a profile of another space than the one that a generator draws from.

    Raises
    ------
    ProfileMismatchError
        It names both spaces and the generators that would fit.
    """
    if same_space(drawn_from, space_id):
        return
    fit = fitting(space_id)
    hint = f"one that fits is {', '.join(fit)}" if fit else f"no generator for {space_id} is known here"
    raise ProfileMismatchError(
        f"generator {generator_id} draws from vectors of {drawn_from}, but profile "
        f"{profile_id} codes vectors of {space_id}; {hint}"
    )
