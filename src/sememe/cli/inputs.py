"""What the user names, as a list of files: files, folders, globs, `@list.txt`."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sememe.errors import UsageError
from sememe.index import PICTURES

@dataclass(slots=True)
class Found:
    """Files to work on, in a stable order, and what could not be looked at (path → why)."""

    paths: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def expand(names: Iterable[str], suffixes: frozenset[str] = PICTURES) -> Found:
    """Turn names into files.

    Parameters
    ----------
    names : iterable of str
        Files, folders (searched below, sorted, hidden entries left out), globs that the shell did not expand,
        and `@list.txt` (one name a line). A name that exists is never taken for a glob or a list.
    suffixes : frozenset of str
        What to pick up in folders, lower case.

    Returns
    -------
    Found
        Each path once. Names that do not exist and folders that cannot be listed are in `failed`.

    Raises
    ------
    UsageError
        A list file cannot be read, or everything named exists and holds no file of these kinds.
    """
    found = Found()
    seen: set[str] = set()
    for name in _flatten(names):
        for path in _files(name, suffixes, found.failed):
            if path not in seen:
                seen.add(path)
                found.paths.append(path)
    if not found.paths and not found.failed:
        raise UsageError(f"nothing to read in {', '.join(names)}: no file there has a known suffix")
    return found


def _flatten(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if not name.startswith("@") or os.path.lexists(name):
            yield name
            continue
        try:
            lines = Path(name[1:]).read_bytes().splitlines()
        except OSError as error:
            raise UsageError(f"{name[1:]}: the list of inputs cannot be read: {error.strerror}") from error
        yield from (os.fsdecode(line) for line in lines if line.strip())


def _files(name: str, suffixes: frozenset[str], failed: dict[str, str]) -> Iterator[str]:
    try:
        is_folder = stat.S_ISDIR(os.stat(name).st_mode)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and glob.has_magic(name):
            yield from _matches(name, suffixes, failed)
        else:
            failed[name] = _reason(error)
        return
    if is_folder:
        yield from _walk(name, suffixes, failed)
    else:
        yield name


def _matches(pattern: str, suffixes: frozenset[str], failed: dict[str, str]) -> Iterator[str]:
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (keeps names as the user wrote them)
    if not matches:
        failed[pattern] = "nothing matches this pattern"
    for match in matches:
        yield from _files(match, suffixes, failed)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _walk(folder: str, suffixes: frozenset[str], failed: dict[str, str]) -> Iterator[str]:
    def note(error: OSError) -> None:
        failed[os.fsdecode(error.filename)] = _reason(error)

    for parent, folders, files in os.walk(folder, onerror=note):  # links to folders are not followed: no loops
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes:
                yield str(Path(parent, name))
