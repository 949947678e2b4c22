"""The lock file of a repository: which commit a revision means here, and the SHA-256 of every file used.

It is written when a file is fetched or first used, and from then on a file with another hash is an error,
whether it was damaged on the disk or exchanged on the hub.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sememe.disk import translate, writing
from sememe.errors import LockFileError
from sememe.hub.layout import COMMIT, make_folder
from sememe.hub.source import is_safe

UNFINISHED = "~"
"""Ends the name under which an update is recorded until all of it is here; no revision may hold it."""

_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pin:
    """What a file must be.

    Parameters
    ----------
    sha256 : str
        Of its contents.
    nbytes : int
        Its length.
    pulled : bool
        Whether we fetched it; what others fetched is not ours to remove.
    mtime_ns : int or None
        Its time when it was last seen to have this hash: as long as it stays, nobody need hash it again.
    """

    sha256: str
    nbytes: int
    pulled: bool
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Pinned:
    """A revision: the commit it means here, and its files."""

    commit: str
    files: Mapping[str, Pin]

    def but(self, files: Mapping[str, Pin]) -> Pinned:
        """The same with some files pinned anew."""
        return replace(self, files={**self.files, **files})


def read(path: Path) -> dict[str, Pinned]:
    """Read a lock file: revisions by name; none if there is no file.

    Raises
    ------
    LockFileError
        It is not one, or damaged.
    StorageError
        It cannot be read.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise translate(exc, path) from exc
    try:
        return _parse(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise LockFileError(
            f"{path}: not a record of pinned files, or a newer one; delete it to have them pinned anew"
        ) from exc


def _parse(data: Any) -> dict[str, Pinned]:
    if data["version"] != _VERSION:
        raise ValueError(data["version"])
    return {revision: _parse_revision(entry) for revision, entry in data["revisions"].items()}


def _parse_revision(entry: Any) -> Pinned:
    files = {name: Pin(**fields) for name, fields in entry["files"].items()}
    if not COMMIT.fullmatch(entry["commit"]) or not all(map(is_safe, files)):
        raise ValueError(entry)
    for pin in files.values():
        if not _is_sound(pin):
            raise ValueError(pin)
    return Pinned(entry["commit"], files)


def _is_sound(pin: Pin) -> bool:
    """Whether the fields have the types that they are declared to have."""
    types = type(pin.nbytes) is int and type(pin.pulled) is bool and type(pin.mtime_ns) in {int, type(None)}
    return types and pin.nbytes >= 0 and bool(_SHA256.fullmatch(pin.sha256))


def was_pulled(revisions: Mapping[str, Pinned], sha256: str) -> bool:
    """Whether contents are ours, under whatever name and revision."""
    every = (pin for pinned in revisions.values() for pin in pinned.files.values())
    return any(pin.pulled and pin.sha256 == sha256 for pin in every)


def write(path: Path, revisions: Mapping[str, Pinned]) -> None:
    """Write a lock file, whole or not at all."""
    data = {
        "version": _VERSION,
        "revisions": {
            revision: {
                "commit": pinned.commit,
                "files": {name: asdict(pin) for name, pin in sorted(pinned.files.items())},
            }
            for revision, pinned in sorted(revisions.items())
        },
    }
    make_folder(path.parent)
    with writing(path) as file:
        file.write(json.dumps(data, indent=1).encode() + b"\n")
