"""Where a model is on this machine: explicit path, own store, hub cache, in this order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sememe.errors import ModelUnavailableError, OfflineError
from sememe.hub import pins, settings
from sememe.hub.layout import PREFIX, Repo
from sememe.hub.pins import Pinned
from sememe.hub.source import Source


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a source in one store."""

    repo: Repo
    revision: str
    commit: str
    names: tuple[str, ...]
    pinned: Pinned | None

    @property
    def folder(self) -> Path:
        """Folder in which all of them lie."""
        return self.repo.snapshot(self.commit)


@dataclass(frozen=True, slots=True)
class Installed:
    """What is here of a revision of a repository; `nbytes` is the length of `files` together."""

    repo: str
    revision: str
    commit: str
    path: Path
    files: tuple[str, ...]
    nbytes: int


def locate(
    source: Source,
    *,
    path: Path | None = None,
    offline: bool | None = None,
    download: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Give the folder in which all needed files lie, each with the hash that was pinned.

    A file is hashed when it is used for the first time and whenever its time has changed since.

    Parameters
    ----------
    source : Source
        What is needed.
    path : Path, optional
        A folder of the user's own: nothing else is looked at, nothing is pinned.
    offline : bool, optional
        Open no socket; by default as ``SEMEME_OFFLINE`` or ``HF_HUB_OFFLINE`` say.
    download : bool
        Fetch what is not here; by default as ``SEMEME_AUTO_PULL`` says.
    progress : callable, optional
        Told (bytes done, bytes in all) while something is fetched.

    Raises
    ------
    ModelUnavailableError
        A file is not here; the message names the command that fetches it.
    HashMismatchError
        A file is not the one that was pinned.
    """
    from sememe.hub.checking import check
    from sememe.hub.pulling import pull

    if path is not None:
        return _given(source, path)
    found = find_in_stores(source)
    if found is not None:
        check(found, source)
        return found.folder
    if download or settings.pulls_by_itself():
        return pull(source, offline=offline, progress=progress)
    raise unavailable(source, offline=False)


def find(source: Source) -> Installed | None:
    """Say what is here of a source, if all needed files are; reads no file's contents."""
    found = find_in_stores(source)
    if found is None:
        return None
    nbytes = sum((found.folder / name).stat().st_size for name in found.names)
    return Installed(source.repo, source.revision, found.commit, found.folder, found.names, nbytes)


def find_in_stores(source: Source) -> Found | None:
    """Look into each store for all needed files."""
    candidates = (find_in(Repo(store, source.repo), source) for store in settings.stores())
    return next((found for found in candidates if found), None)


def find_in(repo: Repo, source: Source) -> Found | None:
    """Look into one store; a pinned commit goes before what its branch has become since."""
    pinned = pins.read(repo.lock_file).get(source.revision)
    commit = pinned.commit if pinned else repo.commit(source.revision)
    if commit is None or not repo.snapshot(commit).is_dir():
        return None
    names, missing = source.select(repo.names(commit))
    return None if missing else Found(repo, source.revision, commit, tuple(names), pinned)


def installed() -> list[Installed]:
    """All that was pulled or used here, in the order of search."""
    return [
        Installed(
            repo=repo.name,
            revision=revision,
            commit=pinned.commit,
            path=repo.snapshot(pinned.commit),
            files=tuple(sorted(pinned.files)),
            nbytes=sum(pin.nbytes for pin in pinned.files.values()),
        )
        for repo in _pinned_repos()
        for revision, pinned in pins.read(repo.lock_file).items()
        if not revision.endswith(pins.UNFINISHED)
    ]


def _pinned_repos() -> list[Repo]:
    found = (
        Repo(store, path.parent.name.removeprefix(PREFIX).replace("--", "/"))
        for store in settings.stores()
        for path in sorted(store.glob(f"{PREFIX}*/sememe.lock.json"))
    )
    return [repo for repo in found if repo.lock_file.is_file()]


def unavailable(source: Source, *, offline: bool) -> ModelUnavailableError:
    """The error that says how to get what is not here."""
    name = source.name or source.repo
    if offline:
        return OfflineError(
            f"{name}: not on this machine, and no socket may be opened; run `{source.command}` without "
            "--offline, SEMEME_OFFLINE and HF_HUB_OFFLINE, or copy a store to SEMEME_HOME"
        )
    return ModelUnavailableError(f"{name}: its weights are not on this machine; run `{source.command}`")


def _given(source: Source, path: Path) -> Path:
    if not path.is_dir():
        raise ModelUnavailableError(
            f"{path}: no such folder; name the one that holds {', '.join(source.files)}"
        )
    if source.exact:
        missing = [name for name in source.files if not (path / name).is_file()]
    else:
        missing = source.select([file.relative_to(path).as_posix() for file in path.rglob("*")])[1]
    if missing:
        raise ModelUnavailableError(f"{path}: lacks {', '.join(missing)}; name the folder that holds them")
    return path
