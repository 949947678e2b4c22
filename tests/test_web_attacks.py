"""What a hostile or careless client may send: nothing of it takes the server down or gets past its limits."""

from __future__ import annotations

import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra [web]")

from hypothesis import HealthCheck, Phase, given, settings

from sememe import encode_paths
from sememe.web import Client, create_app
from sememe.web.guards import Limits
from toys import plain, toy_codec


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("attacked")
    for colour in ("red", "green", "blue"):
        plain(colour).save(root / f"{colour}.png")
    encode_paths([root], root / "photos.sems", toy_codec(16))
    return root / "photos.sems"


# Its own description, taken at its word


def described(archive: Path) -> Any:
    schemathesis = pytest.importorskip("schemathesis", reason="needs schemathesis")
    app = create_app(archive, limits=Limits(per_second=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its test client announces another
        return schemathesis.openapi.from_asgi("/api/openapi.json", app, headers={"host": "localhost"})


def test_no_question_that_can_be_asked_breaks_it(archive: Path) -> None:
    """Every answer has a status, a type and a shape that the description names, and none is a failure."""
    schema = described(archive)
    from schemathesis import checks

    checks.load_all_checks()
    names = (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
    )
    wanted = list(checks.CHECKS.get_by_names(names))
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        asked += 1

        @settings(
            max_examples=8,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def every_case(case: Any) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                case.call_and_validate(checks=wanted, headers={"host": "localhost"})

        given(case=operation.as_strategy())(every_case)()
    assert asked >= 10


# Sockets that drip


@contextmanager
def listening(archive: Path, seconds: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    import uvicorn

    from sememe.web.connections import Connection

    monkeypatch.setattr(Connection, "seconds", seconds)
    config = uvicorn.Config(
        create_app(archive), port=0, http=Connection, ws="none", log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    bound = config.bind_socket()
    bound.listen()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    yield bound.getsockname()[1]
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def hears_nothing_more(dripping: socket.socket, said: bytes = b".") -> bool:
    """Whether the other end closes while bytes still drip in."""
    dripping.settimeout(0.05)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            dripping.send(said)
            if dripping.recv(1000) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def test_headers_that_drip_are_not_waited_for(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(archive, 0.3, monkeypatch) as port:
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.settimeout(20)
            assert silent.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port)) as dripping:
            dripping.send(b"GET /api/about HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            assert hears_nothing_more(dripping)
        assert Client(f"http://127.0.0.1:{port}").about()["images"] == 3


def test_a_connection_that_was_served_once_may_not_drip_either(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        listening(archive, 0.3, monkeypatch) as port,
        socket.create_connection(("127.0.0.1", port)) as dripping,
    ):
        dripping.settimeout(20)
        dripping.send(b"GET /api/about HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert dripping.recv(4000).startswith(b"HTTP/1.1 200")
        dripping.send(b"GET /api/about HTTP/1.1\r\n")
        assert hears_nothing_more(dripping)


def test_those_who_send_at_an_ordinary_pace_are_served(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(archive, 15, monkeypatch) as port, socket.create_connection(("127.0.0.1", port)) as slow:
        slow.settimeout(20)
        for _ in range(2):
            for part in (b"GET /api/ab", b"out HTTP/1.1\r\nHo", b"st: localhost\r\n\r\n"):
                slow.send(part)
                time.sleep(0.02)
            assert slow.recv(4000).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "said",
    [
        b"\0" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A" * 200_000,
    ],
    ids=["zeros", "half a line", "a version that is none", "endless headers"],
)
def test_what_is_no_request_is_refused(archive: Path, said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(archive, 5, monkeypatch) as port:
        with socket.create_connection(("127.0.0.1", port)) as broken:
            broken.settimeout(20)
            try:
                broken.sendall(said)
                assert broken.recv(100).startswith((b"HTTP/1.1 4", b""))
            except OSError:
                pass  # closed before all of it was said
        assert Client(f"http://127.0.0.1:{port}").about()["images"] == 3
