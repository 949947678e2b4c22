"""A model hub on 127.0.0.1: the addresses, headers and redirects of the real one, and faults on demand.

::

    with LoopbackHub({"org/name": {"config.json": b"{}", "model.onnx": weights}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        hub.fault("model.onnx", cut=1000)         # the first answer ends after 1000 bytes
        ...
        assert hub.paths("cdn") == ["/lfs/..."]   # what was asked of which host

A repository is a mapping of names to bytes, or a folder. Files of 512 bytes or more are "large": as on the
hub they are listed with a SHA-256, and `/resolve/` redirects to another host (`hub.cdn`, another port),
which has ETags of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

LARGE = 512
API = re.compile(r"/api/models/(?P<repo>[^/]+(?:/[^/]+)?)/(?P<kind>revision|tree)/(?P<revision>[^/]+)")
RESOLVE = re.compile(r"/(?P<repo>[^/]+(?:/[^/]+)?)/resolve/(?P<revision>[^/]+)/(?P<name>.+)")


@dataclass(frozen=True)
class Request:
    """What was asked: of `hub` or `cdn`."""

    host: str
    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class Fault:
    """What goes wrong with requests whose path holds `needle`, so many times (-1: always).

    With a `status` the answer is that status; all else befalls contents, wherever they are served from.
    """

    needle: str
    times: int = 1
    host: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int | None = None  # end the connection after so many bytes of the body
    drip: float = 0.0  # seconds of silence before the body's last byte
    change: Callable[[bytes], bytes] | None = None  # of the body; its length is announced as it then is
    version: str | None = None  # another ETag


def git_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def oid_of(data: bytes) -> str:
    """The name under which the hub, and so every cache, knows contents."""
    return hashlib.sha256(data).hexdigest() if len(data) >= LARGE else git_oid(data)


class LoopbackHub:
    """Serve repositories; a context manager."""

    def __init__(
        self,
        repos: Mapping[str, Mapping[str, bytes] | Path],
        *,
        page: int = 1000,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.page = page
        self.private: str | None = None  # a token without which every answer is 401
        self.list_file: Callable[[dict[str, Any]], dict[str, Any]] = lambda entry: entry
        self.closing = threading.Event()
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._commits: dict[tuple[str, str], dict[str, bytes]] = {}
        self._heads: dict[str, str] = {}
        self._servers = {host: _Server(self, host, context) for host in ("hub", "cdn")}
        for repo, files in repos.items():
            self.publish(repo, files)

    def __enter__(self) -> LoopbackHub:
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.closing.set()
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    @property
    def endpoint(self) -> str:
        return self._servers["hub"].url

    @property
    def cdn(self) -> str:
        return self._servers["cdn"].url

    def publish(self, repo: str, files: Mapping[str, bytes] | Path) -> str:
        """Make these the files of a new commit on main; return the commit."""
        if isinstance(files, Path):
            paths = [path for path in sorted(files.rglob("*")) if path.is_file()]
            files = {path.relative_to(files).as_posix(): path.read_bytes() for path in paths}
        text = json.dumps([[name, oid_of(data)] for name, data in sorted(files.items())])
        commit = hashlib.sha1(f"{repo} {text}".encode(), usedforsecurity=False).hexdigest()
        self._commits[repo, commit] = dict(files)
        self._heads[repo] = commit
        return commit

    def commit(self, repo: str) -> str:
        """The commit that main is at."""
        return self._heads[repo]

    def fault(self, needle: str, **what: Any) -> None:
        """Let something go wrong; see `Fault`."""
        self._faults.append(Fault(needle, **what))

    def heal(self) -> None:
        """Forget all faults that are left."""
        self._faults.clear()

    def paths(self, host: str = "hub") -> list[str]:
        """Paths that were asked of a host, in order."""
        return [request.path for request in self.requests if request.host == host]

    # what the handlers need

    def take_fault(self, host: str, path: str, *, redirects: bool) -> Fault:
        with self._lock:
            for fault in self._faults:
                applies = fault.needle in path and fault.host in {"", host}
                if fault.times and applies and not (redirects and fault.status is None):
                    fault.times -= 1
                    return fault
        return Fault("")

    def redirects(self, path: str) -> bool:
        """Whether the hub would send a path elsewhere."""
        found = RESOLVE.fullmatch(unquote(path))
        _, files = (self.files(found["repo"], found["revision"]) if found else None) or ("", {})
        return bool(found) and len(files.get(found["name"] if found else "", b"")) >= LARGE

    def files(self, repo: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        commit = self._heads.get(repo) if revision == "main" else revision
        files = self._commits.get((repo, commit or ""))
        return None if files is None else (commit or "", files)

    def large(self, oid: str) -> bytes | None:
        every = (data for files in self._commits.values() for data in files.values())
        return next((data for data in every if oid_of(data) == oid), None)

    def entry(self, name: str, data: bytes) -> dict[str, Any]:
        """A file as the listing has it."""
        entry: dict[str, Any] = {"type": "file", "oid": git_oid(data), "size": len(data), "path": name}
        if len(data) >= LARGE:
            lfs = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            entry |= {"oid": git_oid(f"pointer to {lfs}".encode()), "lfs": lfs}
        return self.list_file(entry)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # they are waited for, so that no socket outlives a test

    def __init__(self, hub: LoopbackHub, host: str, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub, self.host, self.secure = hub, host, context is not None
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"http{'s' * self.secure}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        hub, host = self.server.hub, self.server.host
        self.close_connection = True
        hub.requests.append(Request(host, self.command, self.path, dict(self.headers.items())))
        fault = hub.take_fault(host, self.path, redirects=host == "hub" and hub.redirects(self.path))
        if fault.status is not None:
            self._send(fault.status, dict(fault.headers), fault.body, fault)
        elif host == "cdn":
            self._content(hub.large(urlsplit(self.path).path.rpartition("/")[2]), {}, fault, '"cdn-%s"')
        elif hub.private and self.headers.get("Authorization") != f"Bearer {hub.private}":
            self._send(401, {"X-Error-Code": "RepoNotFound"}, b"", fault)
        elif found := API.fullmatch(urlsplit(self.path).path):
            self._api(fault, **{key: unquote(value) for key, value in found.groupdict().items()})
        elif found := RESOLVE.fullmatch(urlsplit(self.path).path):
            self._resolve(fault, **{key: unquote(value) for key, value in found.groupdict().items()})
        else:
            self._missing("RepoNotFound", fault)

    def _api(self, fault: Fault, repo: str, kind: str, revision: str) -> None:
        hub = self.server.hub
        found = hub.files(repo, revision)
        if found is None:
            self._missing("RevisionNotFound", fault)
            return
        commit, files = found
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if kind == "revision":
            about = {"id": repo, "modelId": repo, "sha": commit, "private": False, "tags": [], "downloads": 0}
            about["siblings"] = [{"rfilename": name} for name in files]
            self._send(200, headers, json.dumps(about).encode(), fault)
            return
        query = urlsplit(self.path).query
        start = int((re.findall(r"cursor=(\d+)", query) or ["0"])[0])
        names = sorted(files)
        if start + hub.page < len(names):
            url = f"{hub.endpoint}{urlsplit(self.path).path}?recursive=true&cursor={start + hub.page}"
            headers["Link"] = f'<{url}>; rel="next"'
        folders = sorted({name.rpartition("/")[0] for name in names} - {""}) if not start else []
        entries = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": folder} for folder in folders]
        entries += [hub.entry(name, files[name]) for name in names[start : start + hub.page]]
        self._send(200, headers, json.dumps(entries).encode(), fault)

    def _resolve(self, fault: Fault, repo: str, revision: str, name: str) -> None:
        hub = self.server.hub
        commit, files = hub.files(repo, revision) or ("", {})
        if name not in files:
            self._missing("EntryNotFound", fault)
            return
        data = files[name]
        headers = {"X-Repo-Commit": commit}
        if len(data) < LARGE:
            self._content(data, headers, fault, f'"{git_oid(data)}"')
            return
        oid = oid_of(data)
        headers |= {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(data))}
        headers |= {"Location": f"{hub.cdn}/lfs/{quote(name)}/{oid}"}
        self._send(302, headers, b"", fault)

    def _content(self, data: bytes | None, headers: dict[str, str], fault: Fault, etag: str) -> None:
        """Send contents, or the range that was asked for if it is of this version."""
        if data is None:
            self._missing("EntryNotFound", fault)
            return
        data = fault.change(data) if fault.change else data
        etag = fault.version or (etag % git_oid(data)[:12] if "%s" in etag else etag)
        headers |= {"ETag": etag, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not asked or self.headers.get("If-Range", etag) != etag:
            self._send(200, headers, data, fault)
        elif int(asked[1]) >= len(data):
            self._send(416, {"Content-Range": f"bytes */{len(data)}"}, b"", fault)
        else:
            start = int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._send(206, headers, data[start:], fault)

    def _missing(self, code: str, fault: Fault) -> None:
        self._send(404, {"X-Error-Code": code}, b"", fault)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes, fault: Fault) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        body = body if fault.cut is None else body[: fault.cut]
        if fault.drip and body:
            self.wfile.write(body[:-1])
            self.wfile.flush()
            self.server.hub.closing.wait(fault.drip)
            body = body[-1:]
        self.wfile.write(body)
