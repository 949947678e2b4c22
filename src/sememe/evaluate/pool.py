"""`Pool`: vectors of one set before they are split, and the files they are read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sememe.errors import InputError, VectorError
from sememe.evaluate.trial import UNLABELLED
from sememe.metrics import unit_rows
from sememe.types import Embeddings

__all__ = ["Pool", "Texts", "read_labels", "read_pool", "read_texts"]


@dataclass(frozen=True, eq=False)
class Pool:
    """Vectors of one set.

    Attributes
    ----------
    name
        Of the set.
    x
        (n, d) float32 unit rows.
    labels
        (n,) int64 class of each, -1 where it is not known.
    classes
        Name of each class, or empty where classes have numbers only.
    pixels
        (n,) width times height of each picture, or None.
    """

    name: str
    x: Embeddings
    labels: NDArray[np.int64]
    classes: tuple[str, ...] = ()
    pixels: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Texts:
    """Text vectors (q, d) of the space, and what they say."""

    x: Embeddings
    names: tuple[str, ...]


def read_pool(path: str | Path, labels: str | Path | None = None) -> Pool:
    """Read vectors from a `.npy` file, or from a `.npz` with `x` and, if known, `y`, `names` and `pixels`.

    Parameters
    ----------
    path
        Floats (n, d). In a `.npz`, `y` (n,) holds integers or names of classes, `names` (c,) what the
        integers mean, `pixels` (n,) width times height.
    labels
        File of labels for a `.npy`: see `read_labels`.

    Raises
    ------
    InputError
        The file cannot be read (VectorError: it holds no such arrays, or they do not fit each other).
    """
    name = Path(path).stem
    loaded = _load(path)
    if isinstance(loaded, np.ndarray):
        x = _vectors(path, loaded)
        y = None if labels is None else read_labels(labels)
        return Pool(name, x, *_classes(labels or path, len(x), y, None))
    if labels is not None:
        raise InputError(f"{path}: a .npz holds its own labels, as y; leave out {labels}")
    if "x" not in loaded:
        raise VectorError(f"{path}: holds {', '.join(loaded) or 'nothing'}, but no array called x")
    x = _vectors(path, loaded["x"])
    found = _classes(path, len(x), loaded.get("y"), loaded.get("names"))
    return Pool(name, x, *found, pixels=_pixels(path, len(x), loaded.get("pixels")))


def read_labels(path: str | Path) -> NDArray[np.generic]:
    """Read one label a vector: a `.npy` of integers or names, or a text file with one name a line.

    Raises
    ------
    InputError
        The file cannot be read or holds something else.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(6)
        if head == b"\x93NUMPY":
            loaded = _load(path)
            assert isinstance(loaded, np.ndarray)
            return loaded
        return np.array(Path(path).read_text("utf-8-sig").splitlines(), np.str_)
    except OSError as exc:
        raise InputError(f"{path}: cannot be read ({exc.strerror or exc})") from exc
    except UnicodeDecodeError as exc:
        raise InputError(f"{path}: neither .npy nor UTF-8 text; labels come one a line") from exc


def read_texts(path: str | Path) -> Texts:
    """Read text vectors from a `.npz` with `x` (q, d) and `names` (q,).

    Raises
    ------
    InputError
        The file cannot be read (VectorError: it holds no such arrays, or they do not fit each other).
    """
    loaded = _load(path)
    if isinstance(loaded, np.ndarray) or not {"x", "names"} <= loaded.keys():
        raise VectorError(f"{path}: texts come as a .npz with vectors x (q, d) and names (q,)")
    x, names = _vectors(path, loaded["x"]), loaded["names"]
    if names.shape != (len(x),) or names.dtype.kind != "U":
        raise VectorError(f"{path}: holds names {names.dtype} {names.shape} for {len(x)} text vectors")
    return Texts(x, tuple(names.tolist()))


def _load(path: str | Path) -> NDArray[np.generic] | Mapping[str, NDArray[np.generic]]:
    """Read all of a `.npy` or `.npz`; never unpickles."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, KeyError) as exc:
        detail = getattr(exc, "strerror", None) or " ".join(str(exc).split())
        raise InputError(f"{path}: cannot be read as .npy or .npz ({detail})") from exc


def _vectors(path: str | Path, x: NDArray[np.generic]) -> Embeddings:
    """Check vectors and scale them to unit length."""
    if x.ndim != 2 or x.dtype.kind != "f" or not x.size:
        raise VectorError(f"{path}: holds {x.dtype} {x.shape}, not vectors: floats (n, d)")
    wide = np.asarray(x, np.float64)
    usable = np.isfinite(wide).all(axis=1) & wide.any(axis=1)
    if not usable.all():
        raise VectorError(f"{path}: vector {int(np.argmin(usable))} is all zero or holds a value not finite")
    return unit_rows(np.asarray(x, np.float32))


def _classes(
    path: str | Path, n: int, y: NDArray[np.generic] | None, names: NDArray[np.generic] | None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels as integers, and the name of each class where there are names."""
    if y is None:
        return np.full(n, UNLABELLED, np.int64), ()
    if y.shape != (n,) or y.dtype.kind not in "iuU":
        raise VectorError(
            f"{path}: holds labels {y.dtype} {y.shape} for {n} vectors, not one integer or name each"
        )
    if y.dtype.kind == "U":
        classes, labels = np.unique(y, return_inverse=True)
        return labels.astype(np.int64), tuple(classes.tolist())
    labels = y.astype(np.int64)
    classes = () if names is None else tuple(str(name) for name in names.tolist())
    top = len(classes) if names is not None else labels.max() + 1
    if labels.min() < UNLABELLED or labels.max() >= top:
        raise VectorError(
            f"{path}: labels run from {labels.min()} to {labels.max()}, but -1 means not known and "
            f"{'there are ' + str(len(classes)) + ' names' if names is not None else 'no other is below 0'}"
        )
    return labels, classes


def _pixels(path: str | Path, n: int, pixels: NDArray[np.generic] | None) -> NDArray[np.int64] | None:
    if pixels is None:
        return None
    if pixels.shape != (n,) or pixels.dtype.kind not in "iu" or (pixels.astype(np.int64) < 1).any():
        raise VectorError(f"{path}: pixels must hold a positive integer for each of {n} vectors")
    return pixels.astype(np.int64)
