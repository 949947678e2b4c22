"""Vectors and codes as `.npy` files: memory-mapped, a chunk at a time, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sememe.api.sources import CodesLike, read_source
from sememe.disk import Target, writing
from sememe.errors import InputError, VectorError
from sememe.index import chunks
from sememe.types import Embeddings

if TYPE_CHECKING:
    from sememe.api.codec import Codec

_MAGIC = b"\x93NUMPY"


def encode_npy(source: str | Path, target: Target, codec: Codec) -> int:
    """Turn a `.npy` file of vectors (n, d) into one of codes (n, nbytes) uint8.

    Returns
    -------
    int
        n.

    Raises
    ------
    InputError
        The source cannot be read (VectorError: it holds no such vectors).
    StorageError
        The target cannot be written.
    """
    x = read_npy(source)
    if x.ndim != 2 or x.dtype.kind != "f" or x.shape[1] != codec.profile.dim:
        raise VectorError(f"{source}: holds {x.dtype} {x.shape}, not floats (n, {codec.profile.dim})")

    def encode(rows: slice) -> NDArray[np.uint8]:
        try:
            return codec.profile.encode(np.asarray(x[rows], np.float32), codec.nbytes)
        except VectorError as exc:
            raise VectorError(f"{source}: {exc} (counted from row {rows.start})") from exc

    return write_npy(target, encode, (len(x), codec.nbytes), np.dtype(np.uint8))


def decode_npy(source: str | Path, target: Target, codec: Codec) -> int:
    """Turn the codes of an archive, a `.sem` or a `.npy` file into a `.npy` file of vectors (n, d) float32.

    Returns
    -------
    int
        n.

    Raises
    ------
    InputError, IntegrityError
        The source cannot be read, holds no codes, or was made with another profile.
    StorageError
        The target cannot be written.
    """
    rows = read_source(_codes(source), codec.profile)

    def decode(some: slice) -> Embeddings:
        return rows[some]

    return write_npy(target, decode, (len(rows), codec.profile.dim), np.dtype(np.float32))


def _codes(source: str | Path) -> CodesLike:
    if not is_npy(source):
        return source
    codes = read_npy(source)
    if codes.ndim != 2 or codes.dtype != np.uint8:
        raise VectorError(f"{source}: holds {codes.dtype} {codes.shape}, not codes: uint8 (n, nbytes)")
    return codes.view(np.uint8)


def is_npy(path: str | Path) -> bool:
    """Whether a file begins as `.npy` files do."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def read_npy(path: str | Path) -> NDArray[np.generic]:
    """Map a `.npy` file; never unpickles. Raises InputError if it cannot be read."""
    try:
        array: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError, SyntaxError, MemoryError, TokenError) as exc:
        detail = getattr(exc, "strerror", None) or " ".join(str(exc).split())
        raise InputError(f"{path}: cannot be read as .npy ({detail})") from exc
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: holds several arrays (.npz); save the vectors alone with numpy.save")
    return array


def write_npy(
    target: Target,
    rows: Callable[[slice], NDArray[np.generic]],
    shape: tuple[int, int],
    dtype: np.dtype[np.generic],
) -> int:
    """Write an array that is made a chunk of rows at a time; return its number of rows."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with writing(target) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for some in chunks(shape[0]):
            file.write(np.ascontiguousarray(rows(some), dtype).tobytes())
    return shape[0]
