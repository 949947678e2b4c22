"""`sememe models` from a shell: a hub on this machine, an empty store, every action and its JSON."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback_hub import LoopbackHub, oid_of
from sememe.backbones import CATALOGUE
from sememe.generate.catalogue import KNOWN
from sememe.hub.layout import Repo
from test_hub import VARIABLES, damage
from workbench import Bench, Done

NAME = "clip-vit-b32"
SOURCE = CATALOGUE[NAME].source
FILES = {name: hashlib.sha256(name.encode()).digest() * 40 for name in SOURCE.files}
TOTAL = sum(map(len, FILES.values()))
OTHER = "org/other"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with LoopbackHub({SOURCE.repo: FILES, OTHER: {"a.json": b"{}", "b.txt": b"b"}}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


@pytest.fixture
def bench(tmp_path: Path, server: LoopbackHub) -> Bench:
    return Bench(tmp_path)


def blob(bench: Bench, data: bytes) -> Path:
    return Repo(bench.path("cache"), SOURCE.repo).blob(oid_of(data))


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def row_of(bench: Bench, name: str, kind: str = "backbone") -> dict[str, object] | None:
    listed = rows(bench.ok("models", "list", "--json"))
    return next((row for row in listed if (row["id"], row["kind"]) == (name, kind)), None)


def run_alone(bench: Bench, *args: str) -> Done:
    """Run the command in a process of its own."""
    done = bench.spawn("models", *args, capture_output=True)
    assert b"Traceback" not in done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_model_from_pull_to_remove(bench: Bench, server: LoopbackHub) -> None:
    done = run_alone(bench, "path", NAME)
    assert "site-packages" in done.stdout.decode() or done.stdout.endswith(b"clip-vit-b32.safetensors\n")
    done = run_alone(bench, "verify", NAME)
    assert (done.returncode, done.stdout) == (5, b"")
    assert done.stderr.decode().endswith("run `sememe models pull clip-vit-b32`\n")

    done = run_alone(bench, "pull", NAME, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    [pulled] = rows(done.stdout.decode())
    assert list(pulled) == ["id", "repo", "revision", "commit", "files", "nbytes", "path"]
    assert pulled["commit"] == server.commit(SOURCE.repo)
    assert (pulled["nbytes"], sorted(pulled["files"])) == (TOTAL, sorted(FILES))
    folder = Path(str(pulled["path"]))
    assert all((folder / name).read_bytes() == data for name, data in FILES.items())

    asked = len(server.requests)
    done = run_alone(bench, "path", NAME)
    assert done.stdout.decode().splitlines()[-1] == str(folder)
    checks = rows(run_alone(bench, "verify", "--json").stdout.decode())
    assert [list(one) for one in checks] == [["id", "file", "nbytes", "sha256", "ok"]] * len(FILES)
    assert {one["file"]: one["sha256"] for one in checks} == {
        name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()
    }
    assert run_alone(bench, "pull", NAME, "--offline").stdout.decode().startswith(f"{NAME}  5 files, ")
    assert len(server.requests) == asked

    [gone] = rows(run_alone(bench, "remove", NAME, "--json").stdout.decode())
    assert list(gone) == ["id", "files", "nbytes", "path"]
    assert (gone["nbytes"], folder.exists()) == (TOTAL, False)
    assert run_alone(bench, "remove", NAME).returncode == 5


def test_the_list_says_what_is_here(bench: Bench) -> None:
    missing = row_of(bench, NAME)
    assert missing == {"id": NAME, "kind": "backbone", "available": False, "path": None}
    assert f"not here (608 MB, sememe models pull {NAME})" in bench.ok("models", "list")
    bench.ok("models", "pull", NAME)
    found = row_of(bench, NAME)
    assert found
    assert found["available"] is True
    assert Path(str(found["path"])).is_dir()


def test_a_repository_without_a_name(bench: Bench, server: LoopbackHub) -> None:
    name = f"hf:{OTHER}"
    status, complaint = bench.fails("models", "path", name)
    assert (status, complaint.endswith(f"run `sememe models pull {name}`")) == (5, True)
    bench.ok("models", "pull", name, "--files", "*.json")
    row = row_of(bench, name, "hub")
    assert row
    assert [path.name for path in Path(str(row["path"])).iterdir()] == ["a.json"]
    assert bench.ok("models", "path", name).strip() == row["path"]
    [check] = rows(bench.ok("models", "verify", name, "--json"))
    assert (check["file"], check["ok"]) == ("a.json", True)
    bench.ok("models", "pull", name)
    commit = server.commit(OTHER)
    pinned = f"{name}@{commit}"
    bench.ok("models", "pull", pinned, "--files", "b.txt")
    assert row_of(bench, pinned, "hub")
    assert bench.ok("models", "remove", name) == f"{name}  removed 2 files, 0.0 MB\n"
    assert len(rows(bench.ok("models", "verify", "--json"))) == 1
    assert bench.ok("models", "remove", pinned) == f"{pinned}  removed 1 file, 0.0 MB\n"
    assert row_of(bench, name, "hub") is row_of(bench, pinned, "hub") is None


def test_a_model_of_several_repositories(bench: Bench, server: LoopbackHub) -> None:
    known = KNOWN["ip-adapter-sd15"]
    assert known.adapter
    adapter = known.adapter.files[0]
    networks = {name.replace("*", "a"): name.encode() for name in known.source.files}
    server.publish(known.source.repo, networks)
    server.publish(known.adapter.repo, {adapter: b"adapter", "sdxl_models/x": b"another"})
    told = rows(bench.ok("models", "pull", "ip-adapter-sd15", "--json"))
    assert [row["repo"] for row in told] == [known.source.repo, known.adapter.repo]
    row = row_of(bench, "ip-adapter-sd15", "generator")
    assert row
    assert row["path"] == told[0]["path"]
    paths = bench.ok("models", "path", "ip-adapter-sd15").splitlines()
    assert paths == [row["path"] for row in told]
    assert (Path(paths[1]) / adapter).read_bytes() == b"adapter"
    checks = rows(bench.ok("models", "verify", "ip-adapter-sd15", "--json"))
    assert {row["file"] for row in checks} == {*networks, adapter}
    assert len(bench.ok("models", "remove", "ip-adapter-sd15").splitlines()) == 2
    assert bench.fails("models", "remove", "ip-adapter-sd15")[0] == 5


def test_an_update_goes_to_the_newest_commit(bench: Bench, server: LoopbackHub) -> None:
    bench.ok("models", "pull", f"hf:{OTHER}")
    newest = server.publish(OTHER, {"a.json": b"[]"})
    [kept] = rows(bench.ok("models", "pull", f"hf:{OTHER}", "--files", "a.json", "--json"))
    [updated] = rows(bench.ok("models", "pull", f"hf:{OTHER}", "--files", "a.json", "--update", "--json"))
    assert (kept["commit"] == newest, updated["commit"] == newest) == (False, True)


def test_damage_ends_with_4_and_a_pull_mends_it(bench: Bench) -> None:
    bench.ok("models", "pull", NAME)
    name, data = next(iter(FILES.items()))
    damage(blob(bench, data))
    done = run_alone(bench, "path", NAME)
    assert done.returncode == 3 if b"safetensors" not in done.stdout else 4
    assert f"run `sememe models pull {NAME}`" in done.stderr.decode()
    done = run_alone(bench, "verify", NAME)
    assert done.returncode == 4
    assert f"damaged  {NAME}  {name}" in done.stdout.decode()
    assert f"{NAME}: damaged: {name}; run `sememe models pull {NAME}`" in done.stderr.decode()
    bench.ok("models", "pull", NAME)
    assert "damaged" not in bench.ok("models", "verify", NAME)


def test_wrong_bytes_end_with_4(bench: Bench, server: LoopbackHub) -> None:
    server.fault("/lfs/", change=lambda data: data[:-1] + b"X", times=-1)
    status, complaint = bench.fails("models", "pull", NAME)
    assert (status, "other bytes than it lists" in complaint) == (4, True)


def test_offline_opens_no_socket(bench: Bench, server: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.ok("models", "pull", f"hf:{OTHER}", "--files", "a.json")
    with monkeypatch.context() as patch:
        for name in ("socket", "create_connection", "getaddrinfo"):
            patch.setattr(socket, name, None)  # calling it would be a TypeError
        for action in ("list", "verify", f"path hf:{OTHER}", f"pull hf:{OTHER} --files a.json --offline"):
            bench.ok("models", *action.split())
        for way in (["--offline"], ["--offline", "--update"], []):
            status, complaint = bench.fails("models", "pull", NAME, *way)
            assert (status, "no socket may be opened" in complaint) == (5, True)
            patch.setenv("SEMEME_OFFLINE", "1")
        bench.ok("models", "remove", f"hf:{OTHER}")


def test_nobody_listens(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("sememe.hub.retrying.sleep", lambda seconds: None)
    status, complaint = bench.fails("models", "pull", NAME, "-q")
    assert (status, "cannot reach 127.0.0.1:9" in complaint) == (5, True)


def test_one_of_several_fails(bench: Bench) -> None:
    done = bench.run("models", "pull", f"hf:{OTHER}", "hf:org/none", "--json")
    assert done.returncode == 3
    assert [row["id"] for row in rows(done.stdout.decode())] == [f"hf:{OTHER}"]
    assert done.stderr.startswith(b"sememe: hf:org/none: ")
    assert b"does not have it (HTTP 404)" in done.stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("pull",), "name one of clip-vit-b32"),
        (("remove",), "name one of"),
        (("pull", "nonsense"), "name one of"),
        (("pull", "nano"), "is part of this package"),
        (("pull", NAME, "--files", "x"), "--files is for hf:"),
        (("list", "--files", "x"), "are for pull"),
        (("path", NAME, "--update"), "are for pull"),
        (("pull", "hf:a/b/c"), "no repository of the hub"),
        (("pull", "hf:a/b", "--files", "../x"), "no name below"),
        (("pull", "hf:a/b", "--files", "x,"), "no name below"),
        (("fly",), "invalid choice"),
    ],
)
def test_words_that_make_no_sense(words: tuple[str, ...], reason: str, bench: Bench) -> None:
    status, complaint = bench.fails("models", *words)
    assert status == 2
    assert reason in complaint


def test_nothing_to_verify(bench: Bench) -> None:
    done = bench.run("models", "verify")
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"no model was pulled, so there is nothing to verify\n"


def test_waiting_is_told_unless_quiet(
    bench: Bench, server: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for flags, told in ((("-q",), b""), ((), b"again in 0 s")):
        server.fault("/tree/", status=503, headers={"Retry-After": "0"})
        done = bench.run("models", "pull", f"hf:{OTHER}", "--update", *flags)
        assert done.returncode == 0
        assert told in done.stderr
        assert bool(done.stderr) == bool(told)


def test_a_terminal_gets_a_bar(bench: Bench) -> None:
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    done = bench.spawn("models", "pull", NAME, stdout=subprocess.PIPE, stderr=end)
    drawn = os.read(terminal, 4096).decode()
    os.close(end)
    os.close(terminal)
    assert done.returncode == 0
    assert f"\r{NAME}: 0.00B" in drawn


def test_an_interrupted_pull_is_taken_up(bench: Bench, server: LoopbackHub) -> None:
    name, data = next(iter(FILES.items()))
    server.fault(f"/lfs/{name}", drip=60.0)
    command = [sys.executable, "-m", "sememe", "models", "pull", NAME]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    partial = Repo(bench.path("cache"), SOURCE.repo).partial(oid_of(data))
    end = time.monotonic() + 60
    while not (partial.exists() and partial.stat().st_size == len(data) - 1):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate()
    assert process.returncode == 130
    assert complaint.startswith(b"sememe: interrupted")
    bench.ok("models", "pull", NAME)
    ranges = [one.headers.get("Range") for one in server.requests if one.host == "cdn" and name in one.path]
    assert ranges == [None, f"bytes={len(data) - 1}-"]
