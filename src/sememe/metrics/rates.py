"""How many bytes one way of coding needs for what another keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sememe.errors import VectorError


def bytes_for(lengths: Sequence[float], figures: Sequence[float], wanted: float) -> float | None:
    """Read off a measured curve at how many bytes a figure is reached.

    Between two lengths the figure is taken to run straight over the logarithm of the bytes, as the fidelity
    of these codes nearly does. Where it falls by chance, what fewer bytes reached counts on.

    Parameters
    ----------
    lengths : sequence of float
        Bytes, ascending, above 0.
    figures : sequence of float
        What each of them keeps: the more the better.
    wanted : float

    Returns
    -------
    float or None
        The least of `lengths` if that reaches it (fewer bytes might, too); None if none does.

    Raises
    ------
    VectorError
        There is no length, or not one figure for each, or lengths do not ascend from above 0.
    """
    if not lengths or len(lengths) != len(figures) or lengths[0] <= 0 or (np.diff(lengths) <= 0).any():
        raise VectorError("expected ascending lengths above 0, and one figure for each")
    reached = np.maximum.accumulate(np.asarray(figures, np.float64))
    at = int(np.searchsorted(reached, wanted))
    if at == len(reached):
        return None
    if at == 0:
        return float(lengths[0])
    share = (wanted - reached[at - 1]) / (reached[at] - reached[at - 1])
    below, above = math.log(lengths[at - 1]), math.log(lengths[at])
    return math.exp(below + share * (above - below))
