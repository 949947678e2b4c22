"""Whether files are what they were pinned as, or what the hub named them by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sememe.errors import HashMismatchError, StorageError
from sememe.hub import pins
from sememe.hub.finding import Found, find_in_stores, unavailable
from sememe.hub.hashing import hash_file
from sememe.hub.locking import exclusive
from sememe.hub.pins import Pin, Pinned
from sememe.hub.source import Source


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What a file turned out to be."""

    name: str
    path: Path
    nbytes: int
    sha256: str
    ok: bool


def verify(source: Source, *, progress: Callable[[int, int], None] | None = None) -> list[FileCheck]:
    """Hash every file of a source anew; a damaged one is fetched again by the next pull.

    Raises
    ------
    ModelUnavailableError
        It is not on this machine.
    LockFileError
        The record of pinned files is damaged.
    """
    found = find_in_stores(source)
    if found is None:
        raise unavailable(source, offline=False)
    total = sum((found.folder / name).stat().st_size for name in found.names)
    done = 0

    def tell(nbytes: int) -> None:
        nonlocal done
        done += nbytes
        if progress:
            progress(done, total)

    checks = [_hash(found, name, tell) for name in found.names]
    _remember(found, checks)
    return checks


def check(found: Found, source: Source) -> None:
    """Refuse files that are not as pinned; hash only those that are new or were touched.

    Raises
    ------
    HashMismatchError
        A file is another than was pinned, or than its blob's name says.
    """
    checks = [_hash(found, name) for name in found.names if not is_settled(found, name)]
    if not checks:
        return
    _remember(found, checks)
    for bad in (one for one in checks if not one.ok):
        raise HashMismatchError(
            f"{bad.path}: damaged, or not the file that was pinned (SHA-256 {bad.sha256[:12]}...); "
            f"run `{source.command}` to fetch it again"
        )


def is_settled(found: Found, name: str) -> bool:
    """Whether a file was seen to have its pinned hash and was not touched since."""
    pin = found.pinned.files.get(name) if found.pinned else None
    if pin is None:
        return False
    state = (found.folder / name).stat()
    return (pin.mtime_ns, pin.nbytes) == (state.st_mtime_ns, state.st_size)


def _hash(found: Found, name: str, tell: Callable[[int], None] | None = None) -> FileCheck:
    path = found.folder / name
    sha256, ok = hash_file(path, list(_expected(found, name)), tell)
    return FileCheck(name, path, path.stat().st_size, sha256, ok)


def _expected(found: Found, name: str) -> Iterator[str]:
    """Hashes that a file must have: its pin's, and its blob's name."""
    if found.pinned and name in found.pinned.files:
        yield found.pinned.files[name].sha256
    blob = (found.folder / name).resolve()
    if blob.parent.name == "blobs" and len(blob.name) in {40, 64}:
        yield blob.name


def _remember(found: Found, checks: list[FileCheck]) -> None:
    """Pin what is used for the first time, and stamp what was hashed.

    A store that may not be written, or is being written to, stays as it is: the next use hashes again.
    """
    repo = found.repo
    with suppress(StorageError), exclusive(repo.guard, repo.name, note=lambda text: None, wait=0):
        revisions = pins.read(repo.lock_file)
        pinned = revisions.get(found.revision) or Pinned(found.commit, {})
        if pinned.commit != found.commit:
            return
        files = {one.name: _stamp(one, pinned.files.get(one.name), revisions) for one in checks}
        kept = {name: pin for name, pin in files.items() if pin is not None}
        pins.write(repo.lock_file, {**revisions, found.revision: pinned.but(kept)})


def _stamp(one: FileCheck, pin: Pin | None, revisions: Mapping[str, Pinned]) -> Pin | None:
    """Pin a file with the time at which its hash was right, or with none, which has it hashed again."""
    if pin is None and one.ok:
        pin = Pin(one.sha256, one.nbytes, pins.was_pulled(revisions, one.sha256))
    return pin and replace(pin, mtime_ns=one.path.stat().st_mtime_ns if one.ok else None)
