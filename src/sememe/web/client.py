"""The other end of `sememe serve`: the same questions, asked from Python with the standard library alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from sememe.errors import InputError, SememeError, UsageError

__all__ = ["Client"]


class Client:
    """Asks a server.

    Parameters
    ----------
    url
        Where it is, such as ``http://127.0.0.1:8642``.
    token
        What it asks for, if it does.
    timeout
        Seconds to wait for an answer.
    """

    def __init__(self, url: str, *, token: str | None = None, timeout: float = 30.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"{url}: a server's address begins with http:// or https://")
        self._url, self._token, self._timeout = url.rstrip("/"), token, timeout

    def about(self) -> dict[str, Any]:
        """Ask what is served."""
        return self._json("/api/about")

    def search(
        self, query: str, *, nbytes: int | None = None, start: int = 0, count: int = 48
    ) -> dict[str, Any]:
        """Find images, best first: words, ``id:7`` and ``code:hex``, joined by + and -."""
        asked = {"q": query, "start": start, "count": count} | ({} if nbytes is None else {"bytes": nbytes})
        return self._json(f"/api/search?{urlencode(asked)}")

    def browse(self, *, start: int = 0, count: int = 48) -> dict[str, Any]:
        """Give images without looking for anything, the newest first."""
        return self._json(f"/api/browse?{urlencode({'start': start, 'count': count})}")

    def explain(self, item: int) -> dict[str, Any]:
        """Ask what survives of one image at each length."""
        return self._json(f"/api/explain/{item}")

    def encode(self, picture: str | Path | bytes, *, name: str | None = None) -> dict[str, Any]:
        """Turn a picture into a code; with a name, and if the server may write, keep the code there."""
        data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        path = "/api/encode" if name is None else f"/api/encode?{urlencode({'name': name})}"
        return self._json(path, data)

    def decode(self, code: bytes) -> dict[str, Any]:
        """Ask what a code means, byte by byte."""
        return self._json(f"/api/decode/{quote(code.hex())}")

    def code(self, item: int, *, nbytes: int | None = None) -> bytes:
        """Fetch the code of one image as the bytes of a `.sem` file."""
        return self._fetch(f"/api/code/{item}.sem" + ("" if nbytes is None else f"?bytes={nbytes}"))

    def _json(self, path: str, data: bytes | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._fetch(path, data))
        return answer

    def _fetch(self, path: str, data: bytes | None = None) -> bytes:
        headers = {"Content-Type": "application/octet-stream"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        request = Request(self._url + path, data, headers)  # noqa: S310  the scheme was checked
        try:
            with urlopen(request, timeout=self._timeout) as response:  # noqa: S310
                body: bytes = response.read()
        except HTTPError as exc:
            raise _error(exc) from exc
        except (URLError, OSError) as exc:
            raise SememeError(f"{self._url}: no answer ({exc}); is `sememe serve` running there?") from exc
        return body


def _error(exc: HTTPError) -> SememeError:
    try:
        reason = json.loads(exc.read())["error"]
    except (ValueError, KeyError, OSError):
        reason = exc.reason
    kind = {404: InputError, 422: UsageError}.get(exc.code, SememeError)
    return kind(f"{reason} (HTTP {exc.code})")
