"""Own vectors to an own profile."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from sememe.api.vectors import read_npy
from sememe.errors import (
    InputError,
    ModelUnavailableError,
    ProfileFormatError,
    ProfileMismatchError,
    UsageError,
    VectorError,
)
from sememe.profile import Profile
from sememe.profile.own import Own, Stages, fit_own, most_vectors
from sememe.types import Json
from sememe.zeroshot import EVERYDAY

if TYPE_CHECKING:
    from sememe.api.codec import Codec

_ROWS = 4096  # rows of a mapped file copied at once


def fit_vectors(
    source: str | Path,
    *,
    text: str | Path | None = None,
    manifest: Mapping[str, Json],
    log: Callable[[str], None] = lambda _: None,
) -> Profile:
    """Fit a profile to a file of vectors, and to nothing else; see `own_from_vectors` for one that is judged.

    Parameters
    ----------
    source : str or Path
        `.npy` or `.npz`, (n, d) floats; a few thousand rows or more.
    text : str or Path, optional
        Text vectors (t, d) of the same space: errors that text can see then weigh more.
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
    x, _ = read_vectors([source])
    return Profile.fit(x, None if text is None else _text(text), manifest=manifest, progress=log)


def own_from_vectors(
    sources: Sequence[str | Path],
    *,
    name: str = "custom",
    space: str | None = None,
    codec: Codec | None = None,
    text: str | Path | None = None,
    holdout: float = 0.1,
    seed: int = 0,
    stages: Stages = lambda line, done, of: None,
) -> Own:
    """Make a profile of files of vectors, and judge it on some that it did not learn from.

    Parameters
    ----------
    sources : sequence of str or Path
        `.npy` files, mapped, or `.npz` files with `x` inside: (n, d) floats of one d. Of more than 50,000
        rows (fewer above 800 dimensions) a random sample is looked at.
    name : str
        Of the profile.
    space : str, optional
        Name of the vectors' space, if no known profile is of that space.
    codec : Codec, optional
        Of a known profile of the space: it is compared with, and adapted where the vectors are few. Its
        backbone, if it is here, embeds everyday words unless there is a `text`.
    text : str or Path, optional
        File of text vectors (t, d) of the same space: errors that text can see then weigh more.
    holdout, seed, stages
        As in `sememe.profile.own.fit_own`.

    Returns
    -------
    Own
        Its `profile`, made from all vectors, and its `report`.

    Raises
    ------
    InputError
        A file cannot be read (VectorError: it holds no such vectors, too few, or of another dimension).
    UsageError
        There is neither space nor codec, or the share held out makes no sense.
    """
    stages(f"reading {', '.join(map(str, sources))}", 0, 1)
    x, total = read_vectors(sources, seed=seed)
    base = None if codec is None else codec.profile
    manifest: dict[str, Json] = {"profile_id": name, "space_id": space}
    if base is not None:
        kept = ("space_id", "backbone_id", "preprocessing")
        manifest |= {key: base.manifest[key] for key in kept if key in base.manifest}
    notes = () if total == len(x) else (f"a random {len(x):,} of the {total:,} vectors were looked at",)
    words = _text(text) if text is not None else None if codec is None else _everyday(codec)
    try:
        return fit_own(
            x,
            words,
            manifest=manifest,
            base=base,
            holdout=holdout,
            seed=seed,
            total=total,
            notes=notes,
            stages=stages,
        )
    except VectorError as exc:
        raise VectorError(f"{', '.join(map(str, sources))}: {exc}") from exc


def read_vectors(sources: Sequence[str | Path], *, seed: int = 0) -> tuple[NDArray[np.floating], int]:
    """Read as many vectors as a fit looks at; of more than that, a random sample.

    Parameters
    ----------
    sources : sequence of str or Path
        `.npy` files, of which only what is needed is read, or `.npz` files with `x` inside.
    seed : int
        Of the sample.

    Returns
    -------
    x : (m, d) float
        In the order of the files.
    n : int
        Vectors that there are.

    Raises
    ------
    InputError
        A file cannot be read (VectorError: it holds no floats (n, d), or of another d than the first).
    """
    arrays = [_floats(source) for source in sources]
    for source, array in zip(sources, arrays, strict=True):
        if array.shape[1] != arrays[0].shape[1]:
            raise VectorError(
                f"{source}: vectors of {array.shape[1]} dimensions, those of {sources[0]} have "
                f"{arrays[0].shape[1]}; fit one space at a time"
            )
    total, dim = sum(map(len, arrays)), arrays[0].shape[1]
    wanted = min(total, most_vectors(max(1, dim)))
    rows = np.sort(np.random.default_rng(seed).choice(total, wanted, replace=False))
    x, filled, start = np.empty((wanted, dim), np.float32), 0, 0
    for array in arrays:
        own = rows[(rows >= start) & (rows < start + len(array))] - start
        for some in range(0, len(own), _ROWS):
            taken = own[some : some + _ROWS]
            with np.errstate(over="ignore"):  # what float32 cannot hold is refused as not finite
                x[filled : filled + len(taken)] = array[taken]
            filled += len(taken)
        start += len(array)
    return x, total


def _floats(path: str | Path) -> NDArray[np.floating]:
    x = _from_npz(path) if Path(path).suffix.lower() == ".npz" else read_npy(path)
    if x.ndim != 2 or not np.issubdtype(x.dtype, np.floating):
        raise VectorError(f"{path}: holds {x.dtype} {x.shape}, not floats (n, d)")
    floats: NDArray[np.floating] = x  # type: ignore[assignment]
    return floats


def _from_npz(path: str | Path) -> NDArray[np.generic]:
    """Read the array `x` of a `.npz` file, or its only one."""
    try:
        with ZipFile(path) as parts:
            names = parts.namelist()
            wanted = names[0] if len(names) == 1 else "x.npy"
            with parts.open(wanted) as part:
                array: NDArray[np.generic] = np.lib.format.read_array(part, allow_pickle=False)
    except KeyError as exc:
        held = ", ".join(name.removesuffix(".npy") for name in names) or "nothing"
        raise VectorError(f"{path}: holds {held}; save the vectors as x") from exc
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as exc:
        detail = getattr(exc, "strerror", None) or " ".join(str(exc).split())
        raise InputError(f"{path}: cannot be read as .npz ({detail})") from exc
    return array


def _text(path: str | Path) -> NDArray[np.float32]:
    return np.asarray(_floats(path), np.float32)


def _everyday(codec: Codec) -> NDArray[np.float32] | None:
    """Embed everyday words with the profile's backbone, if it is on this machine."""
    try:
        return codec.backbone.embed_texts(EVERYDAY)
    except (ModelUnavailableError, ProfileFormatError, ProfileMismatchError, UsageError):
        return None  # vectors need no backbone; that texts were not looked at is in the report
