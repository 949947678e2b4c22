"""From the hub into a store: what is missing, what was pinned, all or a named error."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sememe.disk import translate
from sememe.errors import DiskFullError, HashMismatchError, NotOnHubError
from sememe.hub import listing, pins, settings
from sememe.hub.checking import check, is_settled
from sememe.hub.client import Client
from sememe.hub.downloading import Download
from sememe.hub.finding import Found, find_in, find_in_stores, unavailable
from sememe.hub.hashing import hash_file
from sememe.hub.layout import Repo
from sememe.hub.listing import Remote
from sememe.hub.locking import exclusive
from sememe.hub.pins import Pin, Pinned
from sememe.hub.removing import take_away
from sememe.hub.source import Source

_SPARE = 1 << 20


def pull(
    source: Source,
    *,
    offline: bool | None = None,
    progress: Callable[[int, int], None] | None = None,
    note: Callable[[str], None] | None = None,
    update: bool = False,
) -> Path:
    """Fetch what is missing of a source, or damaged, and give the folder in which all needed files lie.

    The first pull pins the commit and each file's SHA-256; later ones stay at that commit. What is on this
    machine and as pinned is not asked for again: then no socket is opened.

    Parameters
    ----------
    source : Source
        What is needed.
    offline : bool, optional
        Open no socket; by default as ``SEMEME_OFFLINE`` or ``HF_HUB_OFFLINE`` say.
    progress : callable, optional
        Told (bytes done, bytes in all).
    note : callable, optional
        Told a line of text when it waits: for another process, or for the hub.
    update : bool
        Ask anew which commit the revision is, and pin that one.

    Raises
    ------
    OfflineError
        Something would have to be fetched, and no socket may be opened.
    DownloadError
        The hub does not give it.
    HashMismatchError
        The hub lists another hash than was pinned, or sends other bytes than it lists.
    StorageError
        The store cannot be written, or is full.
    """
    tell = note or (lambda text: None)
    offline = settings.is_offline(offline)
    if not update or offline:
        folder = _here(source, find_in_stores(source), offline=offline)
        if folder is not None:
            return folder
    if offline:
        raise unavailable(source, offline=True)
    repo = Repo(settings.stores()[0], source.repo)
    with exclusive(repo.guard, source.repo, note=tell):
        folder = None if update else _here(source, find_in(repo, source), offline=False)
        return folder or _Pull(Client.from_environment(), repo, source, tell, progress).run(update=update)


def _here(source: Source, found: Found | None, *, offline: bool) -> Path | None:
    """Give the folder of a source that is here whole; what is damaged counts as missing, unless offline."""
    if found is None or not (source.exact or offline):
        return None
    try:
        check(found, source)
    except HashMismatchError:
        if offline:
            raise
        return None
    return found.folder


@dataclass
class _Pull:
    """One pull, with the lock held."""

    client: Client
    repo: Repo
    source: Source
    note: Callable[[str], None]
    progress: Callable[[int, int], None] | None
    key: str = ""
    done: int = 0
    total: int = 0
    revisions: dict[str, Pinned] = field(default_factory=dict)

    def run(self, *, update: bool) -> Path:
        revision = self.source.revision
        self.key, self.revisions = revision, pins.read(self.repo.lock_file)
        old = self.revisions.get(revision)
        commit = old.commit if old and not update else listing.resolve(self.client, self.source, self.note)
        remotes = self._choose(listing.tree(self.client, self.repo.name, commit, self.note), commit)
        if old and old.commit != commit:
            self._stage(commit)
        self.revisions.setdefault(self.key, Pinned(commit, {}))
        self._refuse_changed(remotes)
        present = find_in(self.repo, self.source)
        self.total = sum(remote.nbytes for remote in remotes)
        self._make_room(remotes)
        for remote in remotes:
            self._bring(remote, present)
        self.repo.set_commit(revision, commit)
        if old and old.commit != commit:
            self._replace(old)
        return self.repo.snapshot(commit)

    def _stage(self, commit: str) -> None:
        """Begin an update: until all of it is here, the revision stays what it was."""
        self.key += pins.UNFINISHED
        begun = self.revisions.get(self.key)
        if begun and begun.commit != commit:
            take_away(self.repo, Source(self.repo.name, ("*",), revision=self.key))
            del self.revisions[self.key]

    def _replace(self, old: Pinned) -> None:
        """End an update: the revision is what was fetched, what was pulled of the old one is taken away."""
        self.revisions[self.source.revision] = self.revisions.pop(self.key)
        unneeded = old.commit not in self.revisions  # else it was pulled by its own name, too
        if unneeded:
            gone = {name: pin for name, pin in old.files.items() if pin.pulled}
            self.revisions[old.commit] = Pinned(old.commit, gone)
        pins.write(self.repo.lock_file, self.revisions)
        if unneeded:
            take_away(self.repo, Source(self.repo.name, ("*",), revision=old.commit))

    @property
    def pinned(self) -> Pinned:
        """What is pinned so far of the commit that is being fetched."""
        return self.revisions[self.key]

    def _choose(self, listed: dict[str, Remote], commit: str) -> list[Remote]:
        names, missing = self.source.select(listed)
        if missing:
            raise NotOnHubError(
                f"{self.source.repo} at {commit[:12]} has no {', '.join(missing)}; "
                "check the names and the revision"
            )
        return [listed[name] for name in names]

    def _refuse_changed(self, remotes: list[Remote]) -> None:
        """Refuse what the hub has exchanged under the same commit."""
        for remote in remotes:
            pin = self.pinned.files.get(remote.name)
            if pin and (remote.nbytes != pin.nbytes or remote.sha256 not in {None, pin.sha256}):
                raise self._changed(remote, pin, remote.oid)

    def _changed(self, remote: Remote, pin: Pin, found: str) -> HashMismatchError:
        return HashMismatchError(
            f"{self.source.repo}/{remote.name}: the hub gives another file than was pinned (now "
            f"{found[:12]}..., pinned {pin.sha256[:12]}...); ask its publisher why; "
            "removing the model forgets what was pinned"
        )

    def _make_room(self, remotes: list[Remote]) -> None:
        missing = sum(map(self._missing, remotes))
        try:
            free = shutil.disk_usage(self.repo.store).free
        except OSError as exc:
            raise translate(exc, self.repo.store) from exc
        if missing and missing + _SPARE > free:
            raise DiskFullError(
                f"{self.repo.store}: {missing / 1e6:.1f} MB are to be downloaded and {free / 1e6:.1f} MB are "
                "free; free some, or name another store with SEMEME_HOME"
            )

    def _missing(self, remote: Remote) -> int:
        """How many bytes of a file are still to come."""
        blob, partial = self.repo.blob(remote.oid), self.repo.partial(remote.oid)
        if blob.exists():
            return 0
        return remote.nbytes - min(remote.nbytes, partial.stat().st_size if partial.exists() else 0)

    def _bring(self, remote: Remote, present: Found | None) -> None:
        """Have one file: as it is, or fetched; then link and pin it, lest a later pull fetch it again."""
        start, commit = self.done, self.pinned.commit
        pin = self.pinned.files.get(remote.name)
        sha256 = self._present(remote, pin, present)
        pulled = sha256 is None or pins.was_pulled(self.revisions, sha256)
        if sha256 is None:
            download = Download(self.client, self.repo, commit, remote, lambda here: self._tell(start + here))
            sha256 = download.run(self.note)
        if pin and sha256 != pin.sha256:
            raise self._changed(remote, pin, sha256)
        path = self.repo.link(commit, remote.name, remote.oid)
        pin = Pin(sha256, remote.nbytes, pulled, path.stat().st_mtime_ns)
        self.revisions[self.key] = self.pinned.but({remote.name: pin})
        pins.write(self.repo.lock_file, self.revisions)
        self._tell(start + remote.nbytes)

    def _present(self, remote: Remote, pin: Pin | None, present: Found | None) -> str | None:
        """SHA-256 of a file that is here and sound."""
        known = pin and present and present.commit == self.pinned.commit and remote.name in present.names
        if known and present and pin and is_settled(present, remote.name):
            return pin.sha256
        blob = self.repo.blob(remote.oid)
        if not blob.exists():
            return None
        sha256, ok = hash_file(blob, [remote.oid])
        return sha256 if ok else None

    def _tell(self, done: int) -> None:
        self.done = done
        if self.progress:
            self.progress(done, self.total)
