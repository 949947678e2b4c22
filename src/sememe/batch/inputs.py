"""What a user names, as a list of files: files, folders, globs, ``@list.txt``."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sememe.errors import UsageError
from sememe.index import PICTURES


@dataclass(slots=True)
class Found:
    """Files to work on, in a stable order, each once; and what could not be looked at."""

    paths: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Name → why. Folders that cannot be listed, names that do not exist, patterns without a match."""
    folders: set[str] = field(default_factory=set)
    """Folders that were listed."""

    def shard(self, index: int, count: int) -> Found:
        """Keep one of `count` parts: by a hash of each name, so that parts never overlap, wherever they run.

        Raises
        ------
        UsageError
            `index` is not in 0..`count` - 1.
        """
        if not 0 <= index < count:
            raise UsageError(
                f"shards are counted from 0: 0/{count} to {count - 1}/{count}, not {index}/{count}"
            )

        def mine(name: str) -> bool:
            digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
            return int.from_bytes(digest, "big") % count == index

        failed = {name: error for name, error in self.failed.items() if mine(name)}
        return Found(list(filter(mine, self.paths)), failed, set(filter(mine, self.folders)))


def expand(inputs: str | Iterable[str | Path]) -> Found:
    """Find the files that inputs name.

    Parameters
    ----------
    inputs : str, or iterable of str or Path
        Files (any suffix), folders (searched below, sorted, picture suffixes only, hidden entries left out,
        links followed once), patterns with ``*``, ``?`` or ``[]`` (``**`` for any depth), and ``@list.txt``
        (one name a line; blank lines and lines that begin with ``#`` do not count), which ``@-`` reads from
        stdin. A name that exists is never taken for a pattern or a list.

    Returns
    -------
    Found
        Paths as given, normalised (``./a//b.jpg`` is ``a/b.jpg``); relative ones stay relative.

    Raises
    ------
    UsageError
        A list cannot be read.
    """
    search = _Search()
    for name in [inputs] if isinstance(inputs, str) else inputs:
        search.add(os.fspath(name))
    return search.found


class _Search:
    """One walk over all inputs; remembers what it saw, so that nothing comes twice and links cannot loop."""

    def __init__(self) -> None:
        self.found = Found()
        self._seen: set[str] = set()
        self._entered: set[tuple[int, int]] = set()

    def add(self, name: str) -> None:
        if not os.path.lexists(name) and name.startswith("@"):
            for line in _read_list(name[1:]):
                self.add(line)
        elif not os.path.lexists(name) and glob.has_magic(name):
            self._add_pattern(name)
        elif Path(name).is_dir():
            self._walk(os.path.normpath(name))
        else:
            self._keep(os.path.normpath(name))

    def _add_pattern(self, pattern: str) -> None:
        matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  keeps names as typed
        if not matches:
            self.found.failed[pattern] = "nothing matches this pattern"
        for match in matches:
            self.add(match)

    def _keep(self, path: str) -> None:
        if path in self._seen:
            return
        self._seen.add(path)
        if os.path.lexists(path):
            self.found.paths.append(path)
        else:
            self.found.failed[path] = "no such file; check the name"

    def _walk(self, folder: str) -> None:
        """Depth first, in the order of names: the same tree gives the same order everywhere."""
        try:
            status = os.stat(folder)  # noqa: PTH116  names, not Path objects, a million times
            if (status.st_dev, status.st_ino) in self._entered:
                return
            self._entered.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as exc:
            self.found.failed[folder] = f"the folder cannot be listed ({exc.strerror})"
            return
        self.found.folders.add(folder)
        for entry in entries:
            path = os.path.normpath(entry.path)
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                self._walk(path)
            elif os.path.splitext(entry.name)[1].lower() in PICTURES:  # noqa: PTH122
                self._keep(path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link to nowhere or to itself: opening it will say so


def _read_list(name: str) -> Iterator[str]:
    names = _list_bytes(name)
    if b"\0" in names:
        raise UsageError(f"{name}: no list of names but other bytes; a list has one name a line")
    for line in names.splitlines():
        text = os.fsdecode(line.strip())
        if text and not text.startswith("#"):
            yield text


def _list_bytes(name: str) -> bytes:
    if name == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("@- reads names from a pipe, and stdin is a terminal: find . | sememe ... @-")
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as exc:
        raise UsageError(f"{name}: the list of inputs cannot be read ({exc.strerror})") from exc
