"""Reading inputs ahead of the network: stat, skip what is known, hash, decode, in a few threads."""

from __future__ import annotations

import hashlib
import os
import stat
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from sememe.archive import NewItem
from sememe.errors import ImageTooLargeError, InputError

if TYPE_CHECKING:
    from PIL.Image import Image

    from sememe.api import Codec
    from sememe.archive import Archive
    from sememe.archive.records import Known
    from sememe.batch.containers import Held

HASH_BYTES = 16
"""Bytes of SHA-256 kept of a file's content: enough that two files never share them by chance."""

MAX_FILE = 1 << 30
"""Bytes of the largest file that is read: whatever is larger is no picture, and would fill the memory."""

State = Literal["unchanged", "touched", "picture", "failed", "lost"]
"""`touched`: other time, same content. `lost`: cannot be read now; the code made when it could be stays."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Read:
    """One input, as far as it could be read."""

    item: NewItem
    state: State
    image: Image | None = None
    had_code: bool = False
    """Whether the archive has a code of an earlier state."""
    contained: bool = False
    """Whether it comes from a container, which counts as one input."""


@dataclass(frozen=True, slots=True)
class Job:
    """One input to read: a file, or what a container holds."""

    path: str
    known: Known | None
    """What the archive knows of it."""
    held: Held | None = None


def read_job(job: Job, codec: Codec) -> Read:
    """Look at one input, and decode its picture unless the archive has its code already.

    Nothing that is wrong with it is raised: the item says what.
    """
    had_code = job.known is not None and job.known.status == "ok"
    if job.held is None:
        return replace(read_input(job.path, job.known, codec), had_code=had_code)
    return replace(
        _read_held(job.held, job.known if had_code else None, codec), had_code=had_code, contained=True
    )


def _read_held(held: Held, known: Known | None, codec: Codec) -> Read:
    """Look at a picture of a container; `known` if there is a code already."""
    item = NewItem(held.path, held.mtime_ns, held.size, error=held.error)
    if held.error is not None:
        return Read(item, "failed" if held.storable else "lost")
    if held.data is None:
        return Read(item, "unchanged")
    return _read_content(item, held.data, known, codec)


def read_input(path: str, known: Known | None, codec: Codec) -> Read:
    """Look at one file, as `read_job` does."""
    had_code = known is not None and known.status == "ok"
    try:
        status = os.stat(path)  # noqa: PTH116
        item = NewItem(path, status.st_mtime_ns, status.st_size)
        if had_code and known is not None and (known.mtime_ns, known.size) == item[1:3]:
            return Read(item, "unchanged")
        data = _content(path, status)
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        error = f"cannot be read ({reason}); check what it is and who may read it"
        return Read(NewItem(path, error=error), "lost" if had_code else "failed")
    return _read_content(item, data, known if had_code else None, codec)


def _read_content(item: NewItem, data: bytes, known: Known | None, codec: Codec) -> Read:
    """Hash and decode; `known` if there is a code already."""
    item = item._replace(content_hash=hashlib.sha256(data).digest()[:HASH_BYTES])
    if known is not None and known.content_hash == item.content_hash:
        return Read(item, "touched")
    return _decode(item, data, codec)


def read_ahead(
    function: Callable[[T], R], jobs: Iterable[T], *, workers: int, window: int
) -> Generator[R, None, None]:
    """Map in threads and in order, at most `window` results ahead of the reader: memory stays bounded."""
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="sememe-read")
    with _quiet_warnings():
        try:
            for job in jobs:
                waiting.append(pool.submit(function, job))
                if len(waiting) >= window:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _quiet_warnings() -> Iterator[None]:
    """Silence warnings while threads decode.

    Decoding silences Pillow's for each picture, but the list of filters belongs to the process: threads would
    restore each other's, and leave it changed for good. Within this block they all restore the same.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def touched(archive: Archive, item: NewItem) -> NewItem:
    """Give a touched item what the archive knows of it besides its new time."""
    old = archive.get(item.path)
    return item._replace(width=old.width, height=old.height, fidelity=old.fidelity)


def _content(path: str, status: os.stat_result) -> bytes:
    if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
        raise ValueError("not a file")
    if status.st_size > MAX_FILE:
        raise ValueError(f"{status.st_size >> 20:,} MB are more than a picture takes")
    return Path(path).read_bytes()


def _decode(item: NewItem, data: bytes, codec: Codec) -> Read:
    try:
        opened = codec.space.open(data)
    except MemoryError:
        return _failed(item, ImageTooLargeError("the picture does not fit into memory; scale it down"))
    if opened.error is not None:
        return _failed(item, opened.error)
    width, height = opened.size
    return Read(item._replace(width=width, height=height), "picture", opened.image)


def _failed(item: NewItem, error: InputError) -> Read:
    return Read(item._replace(error=plain(error)), "failed")


def plain(error: InputError) -> str:
    """Say what is wrong without the name of the bytes, which the item's path stands for."""
    return str(error).removeprefix("image 0: ")
