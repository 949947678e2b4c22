"""From noise to tokens: Euler's steps along the flow, guided towards what the code says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Velocity", "sample"]

Floats = NDArray[np.float32]

Velocity: TypeAlias = Callable[[Floats, float], tuple[Floats, Floats]]
"""From tokens and a time to two velocities: of one who knows the code, and of one who does not."""


def sample(
    velocity: Velocity, noise: Floats, *, steps: int, guidance: float, told: Callable[[], None]
) -> Floats:
    """Follow the flow from `noise` at time 0 to tokens at time 1.

    Classifier-free guidance (Ho and Salimans 2022): a velocity is drawn out beyond the one that knows the
    code, away from the one that does not.

    Parameters
    ----------
    velocity : callable
        See `Velocity`.
    noise : (16, 64) float32
    steps : int
        Euler steps of equal length.
    guidance : float
        1 follows the code plainly; more holds closer to it, and varies less.
    told : callable
        Called after each step.

    Returns
    -------
    (16, 64) float32
    """
    tokens = noise
    for i in range(steps):
        knowing, ignorant = velocity(tokens, i / steps)
        guided = ignorant + guidance * (knowing - ignorant)
        tokens = (tokens + guided / steps).astype(np.float32)
        told()
    return tokens
