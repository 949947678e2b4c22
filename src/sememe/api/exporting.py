"""An archive for other programs: `.npy`, JSON Lines or Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sememe.api.identity import profile_of_archive
from sememe.api.sources import Source, read_source
from sememe.api.vectors import write_npy
from sememe.archive import Archive, Item
from sememe.disk import Target, writing
from sememe.errors import MissingExtraError, UsageError
from sememe.index import chunks
from sememe.metrics import byte_to_fidelity

Format = Literal["npy", "jsonl", "parquet"]
What = Literal["codes", "vectors"]

_ROWS = 8192  # per row group of Parquet


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
        mtime_ns, vector if asked for.
    what : {"codes", "vectors"}

    Returns
    -------
    int
        Rows written: images with a code, in the order of the archive.

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
    codes = archive.codes()[1]
    decoded = _source(archive) if vectors else None
    items = archive.items("ok")
    for rows in chunks(len(codes), _ROWS):
        some = None if decoded is None else decoded[rows]
        for offset, item in enumerate(islice(items, rows.stop - rows.start)):
            row = _row(item, codes[rows.start + offset].tobytes())
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
    return read_source(archive.codes()[1], profile_of_archive(archive))


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


def _write_parquet(archive: Archive, target: Target, vectors: bool) -> int:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as exc:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'sememe[parquet]'") from exc
    rows = export_rows(archive, vectors=vectors)
    schema, count = _schema(pa, archive, vectors), 0
    options = {"compression": "zstd", "write_page_checksum": True}
    with writing(target) as file, parquet.ParquetWriter(file, schema, **options) as out:
        while batch := list(islice(rows, _ROWS)):
            out.write_table(pa.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _schema(pa: Any, archive: Archive, vectors: bool) -> Any:
    """Columns of the rows; the profile's name and fingerprint go into the file's metadata."""
    fields = [
        ("path", pa.string()),
        ("code", pa.binary(archive.nbytes)),
        ("nbytes", pa.uint8()),
        ("fidelity", pa.float32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("mtime_ns", pa.int64()),
    ]
    if vectors:
        fields.append(("vector", pa.list_(pa.float32(), profile_of_archive(archive).dim)))
    profile = archive.profile
    return pa.schema(
        fields, {"sememe.profile": profile.profile_id, "sememe.fingerprint": profile.fingerprint.hex()}
    )


_WRITERS: dict[str, Callable[[Archive, Target, bool], int]] = {
    "npy": _write_npy,
    "jsonl": _write_jsonl,
    "parquet": _write_parquet,
}
