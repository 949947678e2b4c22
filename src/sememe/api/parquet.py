"""An archive as Parquet: for DuckDB, Polars, pandas and Arrow, and whole enough to make it again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from sememe.api.identity import profile_of_archive
from sememe.api.sources import Source, read_source
from sememe.archive import Archive, Item, interchange
from sememe.disk import Target, writing
from sememe.errors import MissingExtraError

_ROWS = 8192  # per row group


def write_parquet(archive: Archive, target: Target, vectors: bool) -> int:
    """Write all items of an archive, those that failed too; return how many have a code.

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as exc:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'sememe[parquet]'") from exc
    schema = _schema(pa, archive, vectors)
    options = {"compression": "zstd", "write_page_checksum": True}
    items = archive.items()
    codes = _Codes(archive, vectors)
    with writing(target) as file, parquet.ParquetWriter(file, schema, **options) as out:
        while some := list(islice(items, _ROWS)):
            out.write_table(pa.Table.from_pylist(codes.rows(some), schema=schema))
        # In the file's own metadata only: the schema's would be stored twice, and tables are large.
        origin = interchange.Origin(archive.profile, archive.nbytes, archive.mean_bytes)
        out.add_key_value_metadata(interchange.metadata(origin))
    return codes.taken


class _Codes:
    """Codes of an archive, taken in the order of its items; decoded a row group at a time if asked for."""

    def __init__(self, archive: Archive, vectors: bool) -> None:
        self._codes = read_codes(archive)
        self._source: Source | None = None
        if vectors:
            self._source = read_source(archive, profile_of_archive(archive))
        self.taken = 0

    def rows(self, items: list[Item]) -> list[dict[str, Any]]:
        first = self.taken
        rows = [interchange.to_row(item, self._take() if item.status == "ok" else None) for item in items]
        if self._source is not None:
            decoded = iter(self._source[first : self.taken])
            for row in rows:
                row["vector"] = None if row["code"] is None else next(decoded).tolist()
        return rows

    def _take(self) -> bytes:
        self.taken += 1
        return next(self._codes)


def read_codes(archive: Archive) -> Iterator[bytes]:
    """Give every code as bytes, in the order of the items that have one."""
    _, codes, lengths = archive.coded()
    return (code[:length].tobytes() for code, length in zip(codes, lengths.tolist(), strict=True))


def _schema(pa: Any, archive: Archive, vectors: bool) -> Any:
    """Columns of the rows; the profile's name and fingerprint go into the schema's metadata too."""
    fields = [
        ("path", pa.string()),
        ("code", pa.binary(archive.nbytes if archive.mean_bytes is None else -1)),
        ("nbytes", pa.uint8()),
        ("fidelity", pa.float32()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("size", pa.int64()),
        ("content_hash", pa.binary()),
        ("added_at", pa.int64()),
        ("path_bytes", pa.binary()),
    ]
    if vectors:
        fields.append(("vector", pa.list_(pa.float32(), profile_of_archive(archive).dim)))
    profile = archive.profile
    return pa.schema(
        fields, {"sememe.profile": profile.profile_id, "sememe.fingerprint": profile.fingerprint.hex()}
    )
