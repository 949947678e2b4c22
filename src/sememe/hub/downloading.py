"""One file from the hub into a blob: resumed after any interruption, checked before it has its name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from sememe.disk import translate, writing
from sememe.errors import ConnectionCutError, HashMismatchError, UnexpectedAnswerError
from sememe.hub.client import Answer, Client
from sememe.hub.failures import CHECK, Transient, transport
from sememe.hub.hashing import hash_file
from sememe.hub.layout import Repo, make_folder
from sememe.hub.listing import Remote
from sememe.hub.retrying import persist

_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class Download:
    """A file on its way into the blobs of a repository.

    What has come lies in ``OID.incomplete``, and the server's name for that version (its ETag) in
    ``OID.incomplete.etag``: a later attempt, by this process or another, asks for the rest of the same
    version, and gets all of it anew if there is another one.

    Parameters
    ----------
    client, repo, commit, remote
        Whom to ask, where to write, and what.
    tell : callable
        Hears how many bytes of the file are here.
    """

    def __init__(
        self, client: Client, repo: Repo, commit: str, remote: Remote, tell: Callable[[int], None]
    ) -> None:
        self._client = client
        self._url = client.file_url(repo.name, commit, remote.name)
        self._what = f"{repo.name}/{remote.name}"
        self._remote = remote
        self._blob = repo.blob(remote.oid)
        self._partial = repo.partial(remote.oid)
        self._etag = self._blob.with_name(f"{remote.oid}.incomplete.etag")
        self._tell = tell
        self._best = self._here()

    def run(self, note: Callable[[str], None]) -> str:
        """Fetch it; return its SHA-256.

        Raises
        ------
        DownloadError
            The hub does not give it.
        HashMismatchError
            It gives something else.
        StorageError
            It cannot be written.
        """
        make_folder(self._blob.parent)
        resumed = self._here() > 0
        try:
            return self._fetch(note)
        except HashMismatchError:
            if not resumed:  # what was here before may be to blame: once more, from the start
                raise
            note(f"{self._what}: what was here before is damaged; fetching it from the start")
            return self._fetch(note)

    def _fetch(self, note: Callable[[str], None]) -> str:
        persist(self._attempt, note=note, advanced=self._advanced)
        sha256, ok = hash_file(self._partial, [self._remote.oid])
        if not ok:
            self._discard()
            raise HashMismatchError(
                f"{self._what}: the hub sent other bytes than it lists (SHA-256 {sha256[:12]}..., "
                f"listed {self._remote.oid[:12]}...); pull again, or try another HF_ENDPOINT"
            )
        self._publish()
        return sha256

    def _attempt(self) -> None:
        """Ask for what is missing and append it."""
        start = self._here()
        if start > self._remote.nbytes:
            self._discard()
            start = 0
        if start == self._remote.nbytes and (start or self._partial.exists()):
            return
        with self._client.get(self._url, self._what, self._range(start)) as answer:
            self._refuse_pages(answer)
            if answer.status == 416 or (answer.status == 206 and not self._continues(answer, start)):
                self._discard()
                raise Transient(
                    UnexpectedAnswerError(f"{self._what}: the hub does not go on where it was asked to"), 0
                )
            start = start if answer.status == 206 else 0
            self._expect_length(answer, start)
            self._note_version(answer, start)
            self._append(answer, start)
        here, nbytes = self._here(), self._remote.nbytes
        if here < nbytes:
            raise Transient(
                ConnectionCutError(
                    f"{self._what}: the connection ended after {here} of {nbytes} bytes; run it again"
                )
            )

    def _range(self, start: int) -> dict[str, str]:
        """Headers that ask for the rest of the version that has begun, or for all of it."""
        if not start:
            return {}
        version = self._version()
        return {"Range": f"bytes={start}-"} | ({"If-Range": version} if version else {})

    def _continues(self, answer: Answer, start: int) -> bool:
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        return bool(found and int(found[1]) == start and found[2] in {"*", str(self._remote.nbytes)})

    def _refuse_pages(self, answer: Answer) -> None:
        kind = answer.headers.get_content_type() if answer.headers.get("Content-Type") else ""
        if kind == "text/html" and not self._remote.name.endswith((".html", ".htm")):
            raise UnexpectedAnswerError(f"{self._what}: a web page came instead of the file; {CHECK}")

    def _expect_length(self, answer: Answer, start: int) -> None:
        length = answer.headers.get("Content-Length")
        expected = self._remote.nbytes - start
        if length is not None and length != str(expected):
            raise UnexpectedAnswerError(
                f"{self._what}: the hub lists {self._remote.nbytes} bytes and offers {length}, "
                f"where {expected} are missing; pull again, or try another HF_ENDPOINT"
            )

    def _append(self, answer: Answer, start: int) -> None:
        """Write what comes, never more than is listed."""
        with self._open(start) as file:
            try:
                while start < self._remote.nbytes:
                    with transport(self._what, self._url):
                        data = answer.read1(min(_CHUNK, self._remote.nbytes - start))
                    if not data:
                        break
                    file.write(data)
                    file.flush()  # what came is kept, even if this process is killed now
                    start += len(data)
                    self._tell(start)
                os.fsync(file.fileno())
            except OSError as exc:
                raise translate(exc, self._partial) from exc

    def _open(self, start: int) -> BinaryIO:
        try:
            return self._partial.open("ab" if start else "wb")
        except OSError as exc:
            raise translate(exc, self._partial) from exc

    def _here(self) -> int:
        return self._partial.stat().st_size if self._partial.exists() else 0

    def _advanced(self) -> bool:
        """Whether more is here than ever before."""
        before, self._best = self._best, max(self._best, self._here())
        return self._best > before

    def _version(self) -> str | None:
        with suppress(OSError, ValueError):
            return self._etag.read_text("ascii").strip() or None
        return None

    def _note_version(self, answer: Answer, start: int) -> None:
        """Keep the name of the version that comes; a weak one (RFC 9110, 13.1.5) is not good for a range."""
        if start:
            return
        version = answer.headers.get("ETag", "")
        if version.startswith('"') and version.isascii() and version.isprintable():
            with writing(self._etag) as file:
                file.write(version.encode())
        else:
            _unlink(self._etag)

    def _publish(self) -> None:
        try:
            self._partial.replace(self._blob)
        except OSError as exc:
            raise translate(exc, self._blob) from exc
        _unlink(self._etag)

    def _discard(self) -> None:
        _unlink(self._partial)
        _unlink(self._etag)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise translate(exc, path) from exc
