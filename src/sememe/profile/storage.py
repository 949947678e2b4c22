"""Profile files: arrays as safetensors, a canonical JSON manifest inside, a fingerprint over what matters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.disk import writing
from sememe.errors import ProfileFormatError, StorageError, UsageError
from sememe.types import Json, Tables

__all__ = ["canonical", "complete", "fingerprint", "from_bytes", "read", "to_bytes", "write"]

_KEY = "sememe"
_VERSION = 1
_MAX_SIZE = 256 << 20
_REQUIRED = ("profile_id", "space_id", "preprocessing")


def canonical(value: Json) -> str:
    """JSON with sorted keys, no spaces and no NaN: the same value, the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def complete(manifest: Mapping[str, Json]) -> dict[str, Json]:
    """Fill a manifest up with defaults; it must name its space.

    Raises
    ------
    UsageError
        There is no `space_id`, or a value that JSON cannot hold.
    """
    filled: dict[str, Json] = {"profile_id": "custom", "preprocessing": {}, "version": _VERSION, **manifest}
    if not filled.get("space_id"):
        raise UsageError("a profile needs a space_id: the name of the space its vectors live in")
    try:
        canonical(filled)
    except (TypeError, ValueError) as exc:
        raise UsageError(f"the manifest of a profile must be JSON: {exc}") from exc
    return filled


def fingerprint(manifest: Mapping[str, Json], arrays: Tables) -> bytes:
    """SHA-256 over space id, preprocessing and, by name, each array's dtype, shape, bytes."""
    digest = hashlib.sha256()
    digest.update(canonical([_VERSION, manifest["space_id"], manifest["preprocessing"]]).encode())
    for name in sorted(arrays):
        array = _little_endian(arrays[name])
        digest.update(canonical([name, array.dtype.str[1:], list(array.shape)]).encode())
        digest.update(array.tobytes())
    return digest.digest()


def to_bytes(manifest: Mapping[str, Json], arrays: Tables) -> bytes:
    """The bytes of a profile file."""
    from safetensors.numpy import save

    return save({name: _little_endian(array) for name, array in arrays.items()}, {_KEY: canonical(manifest)})


def from_bytes(data: bytes, source: str) -> tuple[dict[str, Json], dict[str, NDArray[Any]]]:
    """Read the bytes of a profile file.

    Parameters
    ----------
    data
        The whole file.
    source
        What to call it in an error.

    Raises
    ------
    ProfileFormatError
        The bytes are not safetensors, or carry no manifest of this version.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        manifest = json.loads(header["__metadata__"][_KEY])
        canonical(manifest).encode()  # the fingerprint needs it
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as exc:
        raise ProfileFormatError(f"{source}: not a profile, or damaged; fit or fetch it again") from exc
    if not isinstance(manifest, dict) or manifest.get("version") != _VERSION:
        raise ProfileFormatError(f"{source}: written by another version of sememe; update, or fit it again")
    for key in _REQUIRED:
        if key not in manifest:
            raise ProfileFormatError(f"{source}: the manifest lacks {key}; fit or fetch the profile again")
    return manifest, arrays


def read(path: Path) -> bytes:
    """Read a profile file, refusing one too large to be real.

    Raises
    ------
    StorageError
        The file cannot be read.
    ProfileFormatError
        The file is too large.
    """
    try:
        with path.open("rb") as file:  # a device has no size: only reading tells
            data = file.read(_MAX_SIZE + 1)
    except OSError as exc:
        raise StorageError(f"{path}: {exc.strerror}; check the path and its permissions") from exc
    if len(data) > _MAX_SIZE:
        raise ProfileFormatError(f"{path}: larger than any profile ({_MAX_SIZE >> 20} MB)")
    return data


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    StorageError
        The folder is missing, full (DiskFullError) or may not be written (ReadOnlyError).
    """
    with writing(path) as file:
        file.write(data)


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")
