"""Distance between vectors and their decoded stand-ins, and the byte that keeps it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError
from sememe.metrics.checks import Floats, pair


def unit_rows(x: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows (n, d) scaled to unit length, in float32; a row of zeros stays as it is."""
    wide = np.asarray(x, np.float32)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (wide / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)
    return unit


def cosine(x: Floats, y: Floats) -> NDArray[np.float64]:
    """Cosine of the angle between each row of `x` and the same row of `y`.

    Parameters
    ----------
    x, y : (n, d) float
        Any length; rows need not be of unit norm.

    Returns
    -------
    (n,) float64
        In [-1, 1]; 0 where either row is all zero.

    Raises
    ------
    VectorError
        The two are not matrices of one shape.
    """
    x, y = pair(x, y)
    norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    dots = np.einsum("nd,nd->n", x, y)
    ratios: NDArray[np.float64] = np.divide(dots, norms, out=np.zeros_like(dots), where=norms > 0)
    return ratios.clip(-1.0, 1.0)


def centred_cosine(x: Floats, y: Floats, mean: Floats) -> NDArray[np.float64]:
    """Cosine of ``x - mean`` and ``y - mean``, row by row.

    CLIP vectors share a large mean, and the mean alone already has a cosine of about 0.7 with every picture;
    removing it leaves what tells one picture from another.

    Parameters
    ----------
    x, y : (n, d) float
        Originals and their decoded stand-ins.
    mean : (d,) float
        Mean of the training vectors, not normalised.

    Returns
    -------
    (n,) float64
        In [-1, 1]; 0 where either row equals the mean.

    Raises
    ------
    VectorError
        `x` and `y` are not matrices of one shape, or `mean` is not a vector of their dimension.
    """
    x, y = pair(x, y)
    if np.shape(mean) != x.shape[1:]:
        raise VectorError(f"mean has shape {np.shape(mean)}, vectors have {x.shape[1]} dimensions")
    return cosine(x - mean, y - mean)


def fidelity_to_byte(cosine: float) -> int:
    """Pack a cosine into one byte, rounding down in fidelity.

    The step is fine near 1, where codes live: 0.999 and 0.998 differ, 0.1 and 0.11 may not.

    Parameters
    ----------
    cosine : float
        Between a vector and its decoded stand-in.

    Returns
    -------
    int
        ``ceil(255 * sqrt(1 - cosine))`` clipped to 0..255; 0 is a perfect copy.

    Raises
    ------
    VectorError
        `cosine` is not a finite number.
    """
    if not math.isfinite(cosine):
        raise VectorError(f"a fidelity must be a finite cosine, not {cosine}")
    byte = int(255 * math.sqrt(min(1.0, max(0.0, 1.0 - cosine))))
    while byte < 255 and byte_to_fidelity(byte) > cosine:
        byte += 1  # rounds up by the promise itself, which a rounded square root might break by one
    return byte


def byte_to_fidelity(byte: int) -> float:
    """Read back the byte of `fidelity_to_byte`: a cosine that the true one does not fall below.

    Parameters
    ----------
    byte : int
        0..255.

    Returns
    -------
    float
        ``1 - (byte / 255)**2``, in [0, 1]. Cosines below 0 read as 0.

    Raises
    ------
    VectorError
        `byte` is not in 0..255.
    """
    if not 0 <= byte <= 255:
        raise VectorError(f"a fidelity byte is in 0..255, not {byte}")
    return 1.0 - (byte / 255) ** 2
