"""What the server counts about itself, as Prometheus reads it."""

from __future__ import annotations

import time
from collections import Counter
from threading import Lock

from sememe.web.asgi import App, Message, Receive, Scope, Send

__all__ = ["Counted", "Numbers"]

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Numbers:
    """Requests by path and status, and how long they took."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._seconds = 0.0

    def note(self, path: str, status: int, seconds: float) -> None:
        """Count one request; `path` is that of the route, so that there are few."""
        with self._lock:
            self._requests[path, status] += 1
            self._seconds += seconds
            for bound in _BUCKETS:
                self._buckets[bound] += seconds <= bound

    def exposition(self, images: int) -> str:
        """Text in Prometheus' exposition format, version 0.0.4."""
        with self._lock:
            total = sum(self._requests.values())
            lines = [
                "# TYPE sememe_images gauge",
                f"sememe_images {images}",
                "# TYPE sememe_requests_total counter",
            ]
            lines += [
                f'sememe_requests_total{{path="{path}",status="{status}"}} {count}'
                for (path, status), count in sorted(self._requests.items())
            ]
            lines.append("# TYPE sememe_request_seconds histogram")
            lines += [
                f'sememe_request_seconds_bucket{{le="{bound}"}} {self._buckets[bound]}' for bound in _BUCKETS
            ]
            lines.append(f'sememe_request_seconds_bucket{{le="+Inf"}} {total}')
            lines += [
                f"sememe_request_seconds_sum {self._seconds:.6f}",
                f"sememe_request_seconds_count {total}",
            ]
        return "\n".join(lines) + "\n"


class Counted:
    """Counts and times the requests that reach an application."""

    def __init__(self, app: App, numbers: Numbers) -> None:
        self._app, self._numbers = app, numbers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; what ends without an answer is counted as an error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def told(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._numbers.note(route, status, time.perf_counter() - started)
