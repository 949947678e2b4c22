"""What the hub says a repository holds: names, lengths and hashes of files at a commit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sememe.errors import UnexpectedAnswerError, UnsafeNameError
from sememe.hub.client import Client, target
from sememe.hub.layout import COMMIT
from sememe.hub.retrying import persist
from sememe.hub.source import Source, is_safe

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
_MAX_PAGES = 200


@dataclass(frozen=True, slots=True)
class Remote:
    """A file as the hub lists it; `oid` is the SHA-256 of large (LFS) files, the git hash of small ones."""

    name: str
    nbytes: int
    oid: str

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the contents, where the hub says it."""
        return self.oid if len(self.oid) == 64 else None


def resolve(client: Client, source: Source, note: Callable[[str], None]) -> str:
    """Ask which commit a revision is.

    Raises
    ------
    DownloadError
        The hub does not say.
    """
    if COMMIT.fullmatch(source.revision):
        return source.revision
    what = f"{source.repo} at {source.revision}"
    url = client.api_url(source.repo, "revision", source.revision)
    answer, _ = persist(lambda: client.json(url, what), note=note)
    commit = answer.get("sha") if isinstance(answer, dict) else None
    if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
        raise UnexpectedAnswerError(f"{what}: the hub names no commit; check HF_ENDPOINT")
    return commit


def tree(client: Client, repo: str, commit: str, note: Callable[[str], None]) -> dict[str, Remote]:
    """Ask for all files of a commit, by name.

    Raises
    ------
    DownloadError
        The hub does not say.
    UnsafeNameError
        A name would lead out of the folder it is to be written to.
    """
    what = f"{repo}: list of files"
    files: dict[str, Remote] = {}
    url: str | None = client.api_url(repo, "tree", commit) + "?recursive=true"
    for _ in range(_MAX_PAGES):
        if url is None:
            return files
        page, headers = persist(lambda url=url: client.json(url, what), note=note)  # type: ignore[misc]
        files.update((file.name, file) for file in _files(page, what))
        following = _NEXT.search(headers.get("Link", ""))
        url = target(url, following[1], what) if following else None
    raise UnexpectedAnswerError(f"{what}: does not end; check HF_ENDPOINT")


def _files(page: Any, what: str) -> Iterator[Remote]:
    try:
        entries = [entry for entry in page if entry["type"] == "file"]
        listed = [_remote(entry) for entry in entries]
    except (TypeError, KeyError, ValueError, AttributeError) as exc:
        raise UnexpectedAnswerError(f"{what}: not the answer of a hub; check HF_ENDPOINT") from exc
    for file in listed:
        if not is_safe(file.name):
            raise UnsafeNameError(
                f"{what}: {file.name!r} would be written outside its folder; do not use this repository"
            )
        yield file


def _remote(entry: Any) -> Remote:
    name, content = entry["path"], entry.get("lfs") or entry
    nbytes, oid = content["size"], content["oid"].removeprefix("sha256:")
    if not isinstance(name, str) or type(nbytes) is not int or nbytes < 0 or not _OID.fullmatch(oid):
        raise ValueError(entry)
    return Remote(name, nbytes, oid)
