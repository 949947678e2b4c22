"""The two hashes by which a hub names contents: SHA-256 of large files, git's SHA-1 of small ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from pathlib import Path

from sememe.disk import translate

_CHUNK = 1 << 20
_GIT = 40


def hash_file(
    path: Path, oids: Collection[str], tell: Callable[[int], None] | None = None
) -> tuple[str, bool]:
    """Hash a file's contents; `tell` hears the length of each piece that was read.

    Parameters
    ----------
    path : Path
        The file.
    oids : collection of str
        Hashes that it must have, of either kind.

    Returns
    -------
    sha256 : str
        Its SHA-256.
    ok : bool
        Whether it has all of `oids`.

    Raises
    ------
    StorageError
        It cannot be read.
    """
    sha256 = hashlib.sha256()
    try:
        with path.open("rb") as file:
            git = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
            hashes = [sha256, git] if any(len(oid) == _GIT for oid in oids) else [sha256]
            while data := file.read(_CHUNK):
                for one in hashes:
                    one.update(data)
                if tell:
                    tell(len(data))
    except OSError as exc:
        raise translate(exc, path) from exc
    found = {one.hexdigest() for one in hashes}
    return sha256.hexdigest(), found.issuperset(oids)
