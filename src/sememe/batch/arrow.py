"""Parquet files from anywhere, a batch of rows at a time; whatever is wrong with them is ours to name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.errors import InputError, MissingExtraError, VectorError

_BUFFER = 1 << 20  # bytes of a column read at a time, instead of a whole row group
_BATCH = 1 << 30  # bytes of a column that a batch may become
_TEXTS = 100 << 20  # longest text in the file's own description


@contextmanager
def parquet_errors(path: Path) -> Iterator[None]:
    """Let no error of pyarrow's out: `path` is named in an InputError."""
    try:
        import pyarrow as pa
    except ImportError as exc:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'sememe[parquet]'") from exc
    try:
        yield
    except (InputError, MissingExtraError):
        raise
    except (pa.ArrowException, OSError, MemoryError, ValueError, OverflowError) as exc:
        reason = " ".join((getattr(exc, "strerror", None) or str(exc) or type(exc).__name__).split())
        raise InputError(f"{path}: cannot be read as Parquet ({reason[:200]})") from exc


@contextmanager
def open_parquet(path: Path) -> Iterator[Any]:
    """Open a Parquet file as a `pyarrow.parquet.ParquetFile`.

    Raises
    ------
    InputError
        It cannot be read, or is no Parquet; also while reading inside the block.
    MissingExtraError
        pyarrow is not installed.
    """
    with parquet_errors(path):
        from pyarrow import parquet

        with parquet.ParquetFile(
            path,
            buffer_size=_BUFFER,
            pre_buffer=False,
            thrift_string_size_limit=_TEXTS,
            page_checksum_verification=True,
        ) as file:
            yield file


def metadata_of(file: Any) -> dict[str, str]:
    """Texts that a Parquet file says of itself."""
    said = file.metadata.metadata or {}
    return {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in said.items()}


def column(path: Path, file: Any, name: str) -> Any:
    """Type of a column. Raises InputError, which names those that there are, if there is no such."""
    schema = file.schema_arrow
    if schema.get_field_index(name) < 0:
        there = ", ".join(schema.names[:20])
        raise InputError(f"{path}: has no column {name!r} (or more than one); it has {there}")
    return schema.field(name).type


def texts(array: Any) -> list[str | None]:
    """Values of a column of text or bytes; what is not UTF-8 is kept as file names are.

    Raises
    ------
    InputError
        The column holds neither.
    """
    import pyarrow as pa

    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if kind not in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary()):
        raise InputError(f"a column of {array.type} cannot name images: text is wanted")
    raw = array.cast(kind).cast(pa.large_binary()).to_pylist()
    return [None if value is None else value.decode("utf-8", "surrogateescape") for value in raw]


def vector_dim(kind: Any) -> int | None:
    """Dimension of a column of vectors by its type; None if each row says it itself.

    Raises
    ------
    VectorError
        The type holds no vectors.
    """
    import pyarrow as pa

    fixed = pa.types.is_fixed_size_list(kind)
    if not (fixed or pa.types.is_list(kind) or pa.types.is_large_list(kind)) or not pa.types.is_floating(
        kind.value_type
    ):
        raise VectorError(f"a column of {kind} holds no vectors: lists of floats are wanted")
    return int(kind.list_size) if fixed else None


def vectors(array: Any, dim: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Rows of a column of vectors.

    Returns
    -------
    x : (m, dim) float32
        Those that are there and have `dim` entries; entries that are missing are NaN.
    fits : (n,) bool
        Which rows these are; m of them.
    """
    from pyarrow import compute

    vector_dim(array.type)
    lengths = compute.list_value_length(array).fill_null(-1).to_numpy(zero_copy_only=False)
    fits = lengths == dim
    values = array.filter(compute.equal(compute.list_value_length(array), dim)).flatten()
    with np.errstate(over="ignore"):  # what is too large for single precision is found to be not finite
        x = values.to_numpy(zero_copy_only=False).astype(np.float32)
    return x.reshape(-1, dim), fits


def batches(file: Any, columns: Sequence[str], rows: int) -> Iterator[Any]:
    """Give batches of so many rows, of these columns alone; of fewer where they could fill the memory."""
    for group in range(file.metadata.num_row_groups):
        largest = _largest_value(file.metadata.row_group(group), columns)
        fitting = min(rows, max(1, _BATCH // max(1, largest)))
        yield from file.iter_batches(batch_size=fitting, row_groups=[group], columns=list(columns))


def _largest_value(group: Any, columns: Sequence[str]) -> int:
    """Bytes that a value of a row group may take: one entry of a dictionary can stand in each of its rows."""
    chunks = [group.column(number) for number in range(group.num_columns)]
    sizes = [
        chunk.total_uncompressed_size
        for chunk in chunks
        if chunk.path_in_schema.split(".")[0] in columns
        and chunk.physical_type == "BYTE_ARRAY"
        and any("DICTIONARY" in encoding for encoding in chunk.encodings)
    ]
    return max(sizes, default=0)
