"""Taking away what was pulled, and nothing that others fetched into the same cache."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sememe.disk import translate
from sememe.errors import ModelUnavailableError
from sememe.hub import pins, settings
from sememe.hub.layout import Repo
from sememe.hub.locking import exclusive
from sememe.hub.pins import Pinned
from sememe.hub.source import Source

_OURS = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\.incomplete(\.etag)?")


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken away."""

    folder: Path
    names: tuple[str, ...]
    nbytes: int


def remove(source: Source) -> Removed:
    """Remove what was pulled of a source, as far as it came, and forget what was pinned for it.

    Looks into the stores in the order of search and takes the first that has some. Files which another
    program fetched into a shared cache stay.

    Raises
    ------
    ModelUnavailableError
        Nothing of it was pulled.
    StorageError
        It cannot be removed.
    """
    for store in settings.stores():
        repo = Repo(store, source.repo)
        if not _pulled(source, pins.read(repo.lock_file)) and not _partials(repo):
            continue
        with exclusive(repo.guard, source.repo, note=lambda text: None):
            gone = take_away(repo, source)
            if repo.lock_file.exists():
                take_away(repo, replace(source, revision=f"{source.revision}{pins.UNFINISHED}"))
            return gone
    raise ModelUnavailableError(
        f"{source.name or source.repo}: nothing of it was pulled by sememe, so there is nothing to remove"
    )


def _pulled(source: Source, revisions: Mapping[str, Pinned]) -> list[str]:
    """Names of a source's files that are ours to remove."""
    pinned = revisions.get(source.revision)
    names, _ = source.select([name for name, pin in pinned.files.items() if pin.pulled] if pinned else [])
    return names


def take_away(repo: Repo, source: Source) -> Removed:
    """Remove what was pulled of a source from one store, whose lock is held.

    Raises
    ------
    StorageError
        It cannot be removed.
    """
    revisions = pins.read(repo.lock_file)
    names = _pulled(source, revisions)
    pinned = revisions.pop(source.revision, Pinned("", {}))
    kept = {name: pin for name, pin in pinned.files.items() if name not in names}
    if kept:
        revisions[source.revision] = Pinned(pinned.commit, kept)
    unneeded = [name for name in names if not _is_pinned(revisions, pinned.commit, name)]
    try:
        freed = _delete(repo, pinned.commit, unneeded)
    except OSError as exc:
        raise translate(exc, repo.folder) from exc
    if repo.folder.exists():
        pins.write(repo.lock_file, revisions)
    return Removed(repo.folder, tuple(names), freed)


def _delete(repo: Repo, commit: str, names: list[str]) -> int:
    """Delete files of a commit, the contents that nothing else links to, and then empty folders."""
    paths = [path for name in names if (path := repo.snapshot(commit) / name).exists()]
    blobs = {path.resolve() for path in paths}
    for path in paths:
        path.unlink()
        _prune(path.parent, repo.folder)
    unlinked = [blob for blob in blobs - _linked(repo) if blob.exists()]
    freed = sum(_unlink(path) for path in (*unlinked, *_partials(repo)))
    others = any((repo.folder / "blobs").glob("*.incomplete"))
    if repo.folder.exists() and not others and not (repo.folder / "snapshots").exists():
        shutil.rmtree(repo.folder)
    return freed


def _partials(repo: Repo) -> list[Path]:
    """What was left of interrupted downloads; those of huggingface_hub are named otherwise."""
    return [path for path in (repo.folder / "blobs").glob("*.incomplete*") if _OURS.fullmatch(path.name)]


def _is_pinned(revisions: Mapping[str, Pinned], commit: str, name: str) -> bool:
    """Whether another revision needs the same file at the same commit."""
    return any(other.commit == commit and name in other.files for other in revisions.values())


def _linked(repo: Repo) -> set[Path]:
    """Blobs that some snapshot still uses."""
    return {path.resolve() for path in (repo.folder / "snapshots").rglob("*") if path.is_symlink()}


def _unlink(blob: Path) -> int:
    nbytes = blob.stat().st_size
    blob.unlink()
    return nbytes


def _prune(folder: Path, top: Path) -> None:
    """Remove folders that have become empty."""
    with suppress(OSError):
        while folder != top:
            folder.rmdir()
            folder = folder.parent
