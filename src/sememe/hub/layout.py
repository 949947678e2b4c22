"""The folder of one repository in a store, as huggingface_hub lays it out.

::

    models--ORG--NAME/
      blobs/OID                     contents, named by their SHA-256 (large files) or git hash (small ones)
      blobs/OID.incomplete          what has come so far
      refs/main                     the commit that a branch or tag was last seen at
      snapshots/COMMIT/NAME         links into blobs/, under the names of the repository
      sememe.lock.json              ours: see pins.py
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

from sememe.disk import translate, writing

PREFIX = "models--"
COMMIT = re.compile(r"[0-9a-f]{40}")
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


@dataclass(frozen=True, slots=True)
class Repo:
    """Paths of one repository in one store; nothing here opens a socket."""

    store: Path
    name: str

    @property
    def folder(self) -> Path:
        """All that the store has of this repository."""
        return self.store / f"{PREFIX}{self.name.replace('/', '--')}"

    @property
    def lock_file(self) -> Path:
        """The record of pinned commits and hashes."""
        return self.folder / "sememe.lock.json"

    @property
    def guard(self) -> Path:
        """File that is locked while the repository is written to."""
        return self.store / ".locks" / self.folder.name / "sememe.lock"

    def blob(self, oid: str) -> Path:
        """Contents with this hash."""
        return self.folder / "blobs" / oid

    def partial(self, oid: str) -> Path:
        """As much of them as has come so far."""
        return self.folder / "blobs" / f"{oid}.incomplete"

    def snapshot(self, commit: str) -> Path:
        """The repository's files at a commit, as far as they are here."""
        return self.folder / "snapshots" / commit

    def commit(self, revision: str) -> str | None:
        """The commit that a revision was last seen at."""
        if COMMIT.fullmatch(revision):
            return revision
        try:
            text = (self.folder / "refs" / revision).read_text("ascii").strip()
        except (OSError, ValueError):
            return None
        return text if COMMIT.fullmatch(text) else None

    def set_commit(self, revision: str, commit: str) -> None:
        """Remember which commit a branch or tag is at."""
        if revision == commit:
            return
        path = self.folder / "refs" / revision
        make_folder(path.parent)
        with writing(path) as file:
            file.write(commit.encode())

    def names(self, commit: str) -> list[str]:
        """Names of the files that are here at a commit."""
        top = self.snapshot(commit)
        return sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())

    def link(self, commit: str, name: str, oid: str) -> Path:
        """Give contents their name at a commit; a name that was there is replaced in one step."""
        path = self.snapshot(commit) / name
        make_folder(path.parent)
        target = Path(os.path.relpath(self.blob(oid), path.parent))
        if path.is_symlink() and path.readlink() == target:
            return path
        temporary = self.folder / f".{os.urandom(8).hex()}.tmp"  # beside the snapshot: never one of its files
        try:
            temporary.symlink_to(target)
            temporary.replace(path)
        except OSError as exc:
            temporary.unlink(missing_ok=True)
            if exc.errno not in _NO_LINKS:
                raise translate(exc, path) from exc
            self.blob(oid).replace(path)  # as huggingface_hub does where there are no links
        return path


def make_folder(path: Path) -> None:
    """Make a folder and those above it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise translate(exc, path) from exc
