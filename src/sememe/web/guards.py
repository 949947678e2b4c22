"""Who may ask, how often and how much: one ASGI layer around everything, so that no route can forget it."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections import OrderedDict
from dataclasses import dataclass

from sememe.web.asgi import App, Message, Receive, Scope, Send

__all__ = ["Guard", "Limits"]

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_COOKIE = "sememe-token"
_CLIENTS = 10_000  # addresses remembered


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one client may ask for."""

    body_bytes: int = 30 << 20
    """Bytes of a body; a larger one is refused before it is read."""
    body_seconds: float = 20.0
    """Time that a body may take to arrive."""
    seconds: float = 30.0
    """Time that an answer may take."""
    per_second: float = 50.0
    """Requests a second, on average; 0 sets no limit."""
    burst: float = 200.0
    """Requests at once."""


class Guard:
    """Refuses foreign hosts, wrong tokens, floods, and bodies that are too large or too slow.

    Parameters
    ----------
    app
        What is guarded.
    hosts
        Names and addresses under which the page may be asked for; others would let a foreign page that
        points its own name at this machine read the archive (DNS rebinding).
    token
        Asked of everybody, if given: as ``Authorization: Bearer``, as a cookie, or once as ``?token=``.
    """

    def __init__(self, app: App, *, hosts: frozenset[str], token: str | None, limits: Limits) -> None:
        self._app, self._hosts, self._token, self._limits = app, hosts, token, limits
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the reason why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        started = False

        async def respond(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", []), *_HEADERS, *self._cookie(scope)]
            await send(message)

        refused = self._refusal(scope, headers)
        if refused is None:
            body, refused = await self._body(receive, headers)
        if refused is not None:
            await _answer(respond, *refused)
            return
        try:
            await asyncio.wait_for(self._app(scope, _replay(body, receive), respond), self._limits.seconds)
        except TimeoutError:
            if started:
                raise
            await _answer(respond, 503, "this took too long; ask for less")

    def _refusal(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, str] | None:
        host = headers.get(b"host", b"").decode("latin-1").rsplit(":", 1)[0].strip("[]").lower()
        if host not in self._hosts:
            return 421, "this server does not go by that name; start it with --allow-host"
        if not self._known(scope, headers):
            return 401, "a token is needed: open the address that `sememe serve` printed"
        if not self._admitted(str((scope.get("client") or ("", 0))[0])):
            return 429, "too many requests; wait a second"
        origin = headers.get(b"origin")
        if scope["method"] != "GET" and origin not in (None, _origin(scope, headers)):
            return 403, "requests from other pages are refused"
        return None

    def _known(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        if self._token is None:
            return True
        given = [
            headers.get(b"authorization", b"").decode("latin-1").removeprefix("Bearer "),
            _from_cookie(headers.get(b"cookie", b"").decode("latin-1")),
            _from_query(scope),
        ]
        return any(hmac.compare_digest(one.encode(), self._token.encode()) for one in given)

    def _cookie(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        if self._token is None or not _from_query(scope):
            return []
        value = f"{_COOKIE}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        return [(b"set-cookie", value.encode())]

    def _admitted(self, client: str) -> bool:
        if not self._limits.per_second:
            return True
        now = time.monotonic()
        left, since = self._buckets.pop(client, (float(self._limits.burst), now))
        left = min(float(self._limits.burst), left + (now - since) * self._limits.per_second)
        self._buckets[client] = (max(left - 1, 0.0), now)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        return left >= 1

    async def _body(
        self, receive: Receive, headers: dict[bytes, bytes]
    ) -> tuple[bytes, tuple[int, str] | None]:
        """Read the whole body within the limits."""
        too_large = (413, f"a body takes at most {self._limits.body_bytes >> 20} MB")
        announced = headers.get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self._limits.body_bytes:
            return b"", too_large
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return b"", (400, "the request ended early")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > self._limits.body_bytes:
                        return b"", too_large
                    more = message.get("more_body", False)
        except TimeoutError:
            return b"", (408, "the body took too long to arrive")
        return b"".join(parts), None


def _replay(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read, then whatever else comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _answer(send: Send, status: int, reason: str) -> None:
    body = json.dumps({"error": reason}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _origin(scope: Scope, headers: dict[bytes, bytes]) -> bytes:
    return str(scope.get("scheme", "http")).encode() + b"://" + headers.get(b"host", b"")


def _from_cookie(header: str) -> str:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return next((value for name, _, value in pairs if name == _COOKIE), "")


def _from_query(scope: Scope) -> str:
    pairs = (part.partition("=") for part in scope.get("query_string", b"").decode("latin-1").split("&"))
    return next((value for name, _, value in pairs if name == "token"), "")
