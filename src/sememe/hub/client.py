"""HTTP to a hub: redirects by hand, the token to nobody else, every failure under its own name."""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any, Protocol, cast
from urllib.parse import quote, urljoin, urlsplit

from sememe.errors import UnexpectedAnswerError
from sememe.hub import settings
from sememe.hub.failures import CHECK, host_of, refusal, transport

_HOPS = 8
_REDIRECTS = {301, 302, 303, 307, 308}
_MAX_JSON = 64 << 20
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "sememe"}
_URL_MARKS = "%/:=&?~#+!$,;'@()*[]"


class Answer(Protocol):
    """What the standard library gives for an answer."""

    status: int
    headers: Message

    def read(self, amount: int, /) -> bytes:
        """Read so many bytes; fewer at the end."""

    def read1(self, amount: int, /) -> bytes:
        """Read what has come, up to so many bytes; none at the end."""

    def close(self) -> None:
        """End the connection."""


@dataclass(frozen=True, slots=True)
class Client:
    """A hub at an address, asked on behalf of a user."""

    endpoint: str
    token: str | None
    timeout: float

    @classmethod
    def from_environment(cls) -> Client:
        """As `HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_DOWNLOAD_TIMEOUT` say."""
        return cls(settings.endpoint(), settings.token(), settings.timeout())

    def file_url(self, repo: str, commit: str, name: str) -> str:
        """Address of a file's contents."""
        return f"{self.endpoint}/{repo}/resolve/{quote(commit, safe='')}/{quote(name)}"

    def api_url(self, repo: str, kind: str, revision: str) -> str:
        """Address of what the hub knows about a revision."""
        return f"{self.endpoint}/api/models/{repo}/{kind}/{quote(revision, safe='')}"

    def json(self, url: str, what: str) -> tuple[Any, Message]:
        """Ask for JSON; `what` names it in errors. Headers come along.

        Raises
        ------
        DownloadError
            The hub does not give it, as far as another attempt will not help.
        Transient
            It might.
        """
        with self.get(url, what) as answer, transport(what, url):
            text = answer.read(_MAX_JSON)
            length = answer.headers.get("Content-Length", "")
            if length.isdecimal() and len(text) < int(length):
                raise http.client.IncompleteRead(text)
            try:
                return json.loads(text), answer.headers
            except (ValueError, RecursionError) as exc:
                raise UnexpectedAnswerError(f"{what}: {host_of(url)} answered with no JSON; {CHECK}") from exc

    @contextmanager
    def get(self, url: str, what: str, headers: Mapping[str, str] | None = None) -> Iterator[Answer]:
        """Ask for `url`, follow redirects and give an answer of status 200, 206 or 416."""
        answer = self._follow(url, what, {**_HEADERS, **(headers or {})})
        try:
            yield answer
        finally:
            answer.close()

    def _follow(self, url: str, what: str, headers: Mapping[str, str]) -> Answer:
        for _ in range(_HOPS):
            answer = self._open(url, what, headers)
            if answer.status in {200, 206, 416}:
                return answer
            answer.close()
            if answer.status not in _REDIRECTS:
                raise refusal(answer.status, answer.headers.get("Retry-After"), what, host_of(url))
            url = target(url, answer.headers.get("Location", ""), what)
        raise UnexpectedAnswerError(f"{what}: {host_of(url)} redirects in circles; {CHECK}")

    def _open(self, url: str, what: str, headers: Mapping[str, str]) -> Answer:
        sent = dict(headers)
        if self.token and _origin(url) == _origin(self.endpoint):
            sent["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(url, headers=sent)  # noqa: S310 - the scheme was checked
        with transport(what, url):
            return cast("Answer", _opener().open(request, timeout=self.timeout))


def _opener() -> urllib.request.OpenerDirector:
    """Only HTTP and proxies: no redirects that carry a token along, no errors without a name."""
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
        opener.add_handler(handler())
    return opener


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def target(url: str, location: str, what: str) -> str:
    """Where a redirect or a further page lies: at HTTP, and seen from HTTPS at nothing less.

    Raises
    ------
    UnexpectedAnswerError
        It is no such address.
    """
    try:
        found = quote(urljoin(url, location), safe=_URL_MARKS)
        scheme, host, _ = _origin(found)
    except ValueError:
        scheme, host = "", None
    allowed = {"https"} if url.startswith("https:") else {"http", "https"}
    if not location or scheme not in allowed or not host:
        raise UnexpectedAnswerError(f"{what}: {host_of(url)} redirects to {location[:80]!r}; {CHECK}")
    return found
