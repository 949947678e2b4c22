"""Own vectors to an own profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sememe.api.vectors import read_npy
from sememe.errors import VectorError
from sememe.profile import Profile
from sememe.types import Json


def fit_vectors(
    source: str | Path,
    *,
    text: str | Path | None = None,
    manifest: Mapping[str, Json],
    log: Callable[[str], None] = lambda _: None,
) -> Profile:
    """Fit a profile to a `.npy` file of vectors.

    Parameters
    ----------
    source : str or Path
        (n, d) floats; a few thousand rows or more.
    text : str or Path, optional
        `.npy` of text vectors (t, d) of the same space: errors that text can see then weigh more.
    manifest : mapping
        At least ``space_id``; ``profile_id`` names the profile, ``backbone_id`` the model that made the
        vectors.
    log : callable
        Called with one line about each stage.

    Returns
    -------
    Profile
        Save it with `Profile.save`.

    Raises
    ------
    InputError
        A file cannot be read (VectorError: it holds no such vectors, or too few).
    UsageError
        The manifest names no space.
    """
    x = _vectors(source)
    return Profile.fit(x, None if text is None else _vectors(text), manifest=manifest, progress=log)


def _vectors(path: str | Path) -> NDArray[np.float32]:
    x = read_npy(path)
    if x.ndim != 2 or x.dtype.kind != "f":
        raise VectorError(f"{path}: holds {x.dtype} {x.shape}, not floats (n, d)")
    return np.asarray(x, np.float32)
