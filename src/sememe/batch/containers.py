"""Pictures inside tar shards (WebDataset naming) and Parquet files, read one by one, trusted in nothing."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from sememe.batch import arrow
from sememe.errors import InputError
from sememe.index import PICTURES

MAX_MEMBER = 64 << 20
"""Bytes of the largest picture in a container: some dozens are in memory at once."""

_IMAGE_COLUMNS = ("image", "img", "jpg", "jpeg", "png", "webp", "bytes", "image_bytes")
_ROWS = 16  # rows of Parquet in memory at once


class Unchanged(Protocol):
    """Whether a picture of that path, time and size has a code already, so that its bytes are not wanted."""

    def __call__(self, path: str, mtime_ns: int, size: int, /) -> bool:
        """Tell."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A picture in a container: its bytes, or why there are none; neither if it is unchanged."""

    path: str
    mtime_ns: int
    size: int
    data: bytes | None = None
    error: str | None = None
    storable: bool = True
    """Whether the archive should remember its failure: a name that leads out of the container is none."""


def is_container(path: str) -> bool:
    """Whether a file is read as many pictures, by its suffix."""
    return path.lower().endswith((".tar", ".parquet"))


def pictures_in(path: str, unchanged: Unchanged) -> Iterator[Held]:
    """Read the pictures of a container, which are called ``shard.tar/key.jpg`` or ``table.parquet#12``.

    Raises
    ------
    InputError
        It cannot be read, or not to its end.
    MissingExtraError
        It is Parquet, and pyarrow is not installed.
    """
    try:
        mtime_ns = os.stat(path).st_mtime_ns  # noqa: PTH116
        if not Path(path).is_file():
            raise InputError("not a file")
    except (OSError, ValueError) as exc:
        raise InputError(f"cannot be read ({getattr(exc, 'strerror', None) or exc})") from exc
    if path.lower().endswith(".tar"):
        yield from _in_tar(path, mtime_ns, unchanged)
    else:
        yield from _in_parquet(path, mtime_ns, unchanged)


# tar


class _Bounded(FileIO):
    """A file of which nobody reads much at once: a header may claim to be as long as it likes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= MAX_MEMBER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return super().read(size)


def _in_tar(path: str, mtime_ns: int, unchanged: Unchanged) -> Iterator[Held]:
    try:
        with _Bounded(path) as file, tarfile.TarFile(fileobj=file, errors="surrogateescape") as tar:
            last = -1
            while (member := tar.next()) is not None:
                if member.offset_data <= last or member.size < 0:
                    raise tarfile.ReadError("it leads back to where it was")
                last = member.offset_data
                tar.members = []  # type: ignore[attr-defined]  # or it would keep them all
                if not member.isdir() and _is_picture(member.name):
                    yield _member(tar, member, path, mtime_ns, unchanged)
            file.seek(tar.offset)
            if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):  # of which tarfile says nothing
                raise tarfile.ReadError("no end mark where it ends")
    except (tarfile.TarError, OSError, ValueError, EOFError, OverflowError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise InputError(f"damaged, or not a tar file ({reason[:200]}); what came before is taken") from exc


def _member(
    tar: tarfile.TarFile, member: tarfile.TarInfo, path: str, mtime_ns: int, unchanged: Unchanged
) -> Held:
    name = f"{path}/{member.name.removeprefix('./')}"
    held = Held(name, mtime_ns, member.size)
    why = _refusal(member)
    if why is not None:
        return Held(name, mtime_ns, member.size, error=why, storable=_inside(member.name))
    if unchanged(name, mtime_ns, member.size):
        return held
    file = tar.extractfile(member)
    data = b"" if file is None else file.read(member.size)
    if len(data) != member.size:
        raise tarfile.ReadError("it ends in the middle of a picture")
    return Held(name, mtime_ns, member.size, data)


def _refusal(member: tarfile.TarInfo) -> str | None:
    """Why a member is not read, if it is not."""
    if not _inside(member.name):
        return "its name leads out of the tar file; it is not taken"
    if member.issym() or member.islnk():
        return "a link, not a picture; it is not followed"
    if not member.isreg():
        return "a device or pipe, not a picture"
    if member.size > MAX_MEMBER:
        return f"{member.size >> 20:,} MB are more than a picture in a tar file may take"
    return None


def _inside(name: str) -> bool:
    parts = PurePosixPath(name)
    return not parts.is_absolute() and ".." not in parts.parts and "\0" not in name


def _is_picture(name: str) -> bool:
    """By suffix; hidden members, which macOS puts beside each picture, are left out."""
    path = PurePosixPath(name)
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


# Parquet


def _in_parquet(path: str, mtime_ns: int, unchanged: Unchanged) -> Iterator[Held]:
    seen: set[str] = set()
    row = 0
    with arrow.open_parquet(Path(path)) as file:
        column = _image_column(path, file.schema_arrow)
        for batch in arrow.batches(file, [column], _ROWS):
            for value in batch.column(0):
                held = _row(value, path, row, mtime_ns, seen)
                seen.add(held.path)
                yield Held(held.path, mtime_ns, held.size) if unchanged(*_key(held)) else held
                row += 1


def _key(held: Held) -> tuple[str, int, int]:
    return held.path, held.mtime_ns, held.size


def _row(value: Any, path: str, row: int, mtime_ns: int, seen: set[str]) -> Held:
    """Picture of one row: bytes, or a struct of bytes and path as Hugging Face datasets write it."""
    import pyarrow as pa

    name, data = f"{path}#{row}", value
    if pa.types.is_struct(value.type):
        data = value["bytes"] if value.is_valid else None
        names = [field.name for field in value.type]
        said = value["path"] if value.is_valid and "path" in names else None
        said = said.as_py() if said is not None and pa.types.is_string(said.type) else None
        if said and _inside(said) and f"{path}/{said}" not in seen:
            name = f"{path}/{said}"
    if data is None or not data.is_valid:
        return Held(name, mtime_ns, 0, error="the row holds no bytes")
    raw = data.as_buffer()
    if raw.size > MAX_MEMBER:
        return Held(name, mtime_ns, raw.size, error=f"{raw.size >> 20:,} MB are more than a picture takes")
    return Held(name, mtime_ns, raw.size, raw.to_pybytes())


def _image_column(path: str, schema: Any) -> str:
    """Find the column of pictures: the one with a usual name, else the only one of bytes."""
    columns = [field.name for field in schema if _holds_bytes(field.type)]
    for name in _IMAGE_COLUMNS:
        if name in columns:
            return name
    if len(columns) != 1:
        raise InputError(f"{path}: has no column of images; call one of its columns of bytes image")
    return str(columns[0])


def _holds_bytes(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _is_bytes(kind.field(index).type)
    return _is_bytes(kind)


def _is_bytes(kind: Any) -> bool:
    import pyarrow as pa

    return kind in (pa.binary(), pa.large_binary())
