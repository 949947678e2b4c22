"""An archive for other programs: `.npy`, JSON Lines or Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sememe.api.identity import profile_of_archive
from sememe.api.parquet import read_codes, write_parquet
from sememe.api.sources import Source, read_source
from sememe.api.vectors import write_npy
from sememe.archive import Archive, Item
from sememe.disk import Target, writing
from sememe.errors import UsageError
from sememe.index import chunks
from sememe.metrics import byte_to_fidelity

Format = Literal["npy", "jsonl", "parquet"]
What = Literal["codes", "vectors"]

_ROWS = 8192  # decoded together


def export(source: str | Path, target: Target, *, format: str | None = None, what: What = "codes") -> int:  # noqa: A002
    """Write an archive's codes, or what they decode to, for other programs.

    Parameters
    ----------
    source : str or Path
        An archive.
    target : str, Path or binary file
    format : {"npy", "jsonl", "parquet"}, optional
        What the suffix of `target` says if not given. `npy` holds the matrix alone; the others one row an
        image: path, code (hex in JSON), nbytes, fidelity (lower bound of the cosine), width, height,
        mtime_ns, vector if asked for. Parquet also has the images that failed, and all that `import` needs to
        make the archive again (FORMAT.md).
    what : {"codes", "vectors"}

    Returns
    -------
    int
        Images with a code, in the order of the archive.

    Raises
    ------
    UsageError
        The format is unknown.
    MissingExtraError
        Parquet without pyarrow.
    StorageError, IntegrityError
        The archive cannot be read, is damaged or of an unknown profile; or the target cannot be written.
    """
    writer = _WRITERS.get(format or _suffix(target))
    if writer is None:
        raise UsageError(f"{format or target}: unknown format; known are {', '.join(_WRITERS)}")
    with Archive.open(source) as archive, archive.snapshot():
        return writer(archive, target, what == "vectors")


def export_rows(archive: Archive, *, vectors: bool = False) -> Iterator[dict[str, Any]]:
    """Give one dict per image that has a code, keys as in `export`; codes are `bytes`."""
    codes = read_codes(archive)
    decoded = _source(archive) if vectors else None
    items = archive.items("ok")
    for rows in chunks(len(archive), _ROWS):
        some = None if decoded is None else decoded[rows]
        for offset, (item, code) in enumerate(islice(zip(items, codes, strict=True), rows.stop - rows.start)):
            row = _row(item, code)
            yield row if some is None else row | {"vector": some[offset].tolist()}


def _row(item: Item, code: bytes) -> dict[str, Any]:
    return {
        "path": item.path.encode("utf-8", "backslashreplace").decode(),
        "code": code,
        "nbytes": len(code),
        "fidelity": None if item.fidelity is None else byte_to_fidelity(item.fidelity),
        "width": item.width,
        "height": item.height,
        "mtime_ns": item.mtime_ns,
    }


def _source(archive: Archive) -> Source:
    return read_source(archive, profile_of_archive(archive))


def _suffix(target: Target) -> str:
    return Path(target).suffix.lower().removeprefix(".") if isinstance(target, str | Path) else "jsonl"


def _write_npy(archive: Archive, target: Target, vectors: bool) -> int:
    codes = archive.codes()[1]
    if not vectors:
        return write_npy(target, codes.__getitem__, (len(codes), archive.nbytes), np.dtype(np.uint8))
    source = _source(archive)
    return write_npy(target, source.__getitem__, (len(source), source.profile.dim), np.dtype(np.float32))


def _write_jsonl(archive: Archive, target: Target, vectors: bool) -> int:
    count = 0
    with writing(target) as file:
        for count, row in enumerate(export_rows(archive, vectors=vectors), start=1):  # noqa: B007
            file.write((json.dumps(row | {"code": row["code"].hex()}, ensure_ascii=False) + "\n").encode())
    return count


_WRITERS: dict[str, Callable[[Archive, Target, bool], int]] = {
    "npy": _write_npy,
    "jsonl": _write_jsonl,
    "parquet": write_parquet,
}
