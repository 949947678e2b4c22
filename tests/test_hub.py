"""The model store, against a hub on this machine: what it keeps, what it refuses, what it survives."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from archive_tools import small_disk
from loopback_hub import LoopbackHub, git_oid, oid_of
from sememe import errors, hub
from sememe.hub import client, locking, pins, settings
from sememe.hub.layout import Repo
from sememe.hub.pins import Pin, Pinned
from sememe.hub.source import is_safe

REPO = "org/name"
CONFIG = b'{"dim": 4}\n'
MODEL = bytes(range(256)) * 20
FILES = {"config.json": CONFIG, "onnx/model.onnx": MODEL, "notes.txt": b"hello"}
SOURCE = hub.Source(REPO, ("config.json", "onnx/model.onnx"), optional=("vocab.txt",), name="tiny")
VARIABLES = (
    "SEMEME_HOME",
    "SEMEME_OFFLINE",
    "SEMEME_AUTO_PULL",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "HF_TOKEN",
    "HF_ENDPOINT",
    "HF_HUB_DOWNLOAD_TIMEOUT",
    "XDG_CACHE_HOME",
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and nothing else in the environment that would matter."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have waited before each further attempt."""
    found: list[float] = []
    monkeypatch.setattr("sememe.hub.retrying.sleep", found.append)
    return found


@pytest.fixture
def server(cache: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    with LoopbackHub({REPO: FILES}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **named: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


def blob(cache: Path, data: bytes) -> Path:
    return Repo(cache, REPO).blob(oid_of(data))


def partial(cache: Path) -> Path:
    return Repo(cache, REPO).partial(oid_of(MODEL))


def lock_file(cache: Path) -> Path:
    return Repo(cache, REPO).lock_file


def damage(path: Path, *, keep_time: bool = False) -> None:
    """Flip a bit of a file; the time of a file is taken from it on purpose."""
    before = path.stat()
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    shift = 0 if keep_time else 1_000_000_000
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + shift))


def leave_half(server: LoopbackHub, nbytes: int = 2000) -> None:
    """Have a pull end after so many bytes of the model."""
    server.fault("/lfs/", cut=nbytes)
    server.fault("/lfs/", status=503, times=-1)
    with pytest.raises(errors.HubBusyError):
        hub.pull(SOURCE)
    server.heal()
    server.requests.clear()


# what a pull leaves


def test_a_pull_brings_the_files_under_their_names(server: LoopbackHub, cache: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = hub.pull(SOURCE, progress=lambda done, total: seen.append((done, total)))
    commit = server.commit(REPO)
    assert folder == cache / "models--org--name" / "snapshots" / commit
    assert (folder / "config.json").read_bytes() == CONFIG
    assert (folder / "onnx/model.onnx").read_bytes() == MODEL
    assert not (folder / "notes.txt").exists()
    assert (cache / "models--org--name/refs/main").read_text() == commit
    assert sorted(path.name for path in blob(cache, MODEL).parent.iterdir()) == sorted(
        [hashlib.sha256(MODEL).hexdigest(), git_oid(CONFIG)]
    )
    assert not (folder / "onnx/model.onnx").readlink().is_absolute()
    total = len(CONFIG) + len(MODEL)
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)


def test_a_pull_pins_the_commit_and_the_hashes(server: LoopbackHub, cache: Path) -> None:
    hub.pull(SOURCE)
    found = json.loads(lock_file(cache).read_text())["revisions"]["main"]
    assert found["commit"] == server.commit(REPO)
    hashes = {name: pin["sha256"] for name, pin in found["files"].items()}
    assert hashes == {name: hashlib.sha256(FILES[name]).hexdigest() for name in SOURCE.files}


def test_what_is_here_is_not_asked_for_again(server: LoopbackHub) -> None:
    folder = hub.pull(SOURCE)
    count = len(server.requests)
    assert hub.pull(SOURCE) == hub.locate(SOURCE) == folder
    found = hub.find(SOURCE)
    assert found
    assert (found.path, found.files, found.nbytes) == (folder, SOURCE.files, 5131)
    assert all(one.ok for one in hub.verify(SOURCE))
    assert len(server.requests) == count


def test_optional_files_and_patterns(server: LoopbackHub) -> None:
    server.publish(REPO, {**FILES, "vocab.txt": b"a\nb\n"})
    folder = hub.pull(SOURCE)
    assert (folder / "vocab.txt").read_bytes() == b"a\nb\n"
    hub.pull(hub.Source(REPO, ("*.txt",)))
    assert (folder / "notes.txt").exists()
    with pytest.raises(errors.NotOnHubError, match=r"has no \*\.bin"):
        hub.pull(hub.Source(REPO, ("*.bin",)))


def test_a_long_list_of_files_comes_in_pages(server: LoopbackHub) -> None:
    server.page = 2
    server.publish(REPO, {f"{i}.txt": b"%d" % i for i in range(5)})
    folder = hub.pull(hub.Source(REPO, ("*",)))
    assert sorted(path.name for path in folder.iterdir()) == [f"{i}.txt" for i in range(5)]
    assert sum("/tree/" in path for path in server.paths()) == 3


def test_a_revision_can_be_a_commit(server: LoopbackHub, cache: Path) -> None:
    commit = server.commit(REPO)
    server.publish(REPO, {"config.json": b"newer"})
    folder = hub.pull(hub.Source(REPO, ("config.json",), revision=commit))
    assert (folder / "config.json").read_bytes() == CONFIG
    assert not (cache / "models--org--name/refs").exists()


def test_names_need_not_be_plain(server: LoopbackHub) -> None:
    names = ("a b/ü?#&%.json", "~x [1].txt")
    server.publish(REPO, dict.fromkeys(names, b"x" * 600))
    folder = hub.pull(hub.Source(REPO, names))
    assert all((folder / name).read_bytes() == b"x" * 600 for name in names)


def test_a_disk_without_links_gets_the_files_themselves(
    server: LoopbackHub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *args: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    folder = hub.pull(SOURCE)
    assert hub.locate(SOURCE) == folder
    assert not (folder / "config.json").is_symlink()
    damage(folder / "config.json")
    with pytest.raises(errors.HashMismatchError):
        hub.locate(SOURCE)
    assert hub.remove(SOURCE).names == SOURCE.files
    assert not Repo(cache, REPO).folder.exists()


# where it looks


def test_the_order_of_search(
    server: LoopbackHub, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.ModelUnavailableError, match="run `sememe models pull tiny`"):
        hub.locate(SOURCE)
    assert server.requests == []
    in_cache = hub.locate(SOURCE, download=True)
    assert in_cache.is_relative_to(cache)
    monkeypatch.setenv("SEMEME_HOME", str(tmp_path / "own"))
    assert hub.locate(SOURCE) == hub.pull(SOURCE) == in_cache
    shutil.copytree(cache, tmp_path / "own/hub", symlinks=True)
    assert hub.locate(SOURCE).is_relative_to(tmp_path / "own")
    given = tmp_path / "mine"
    shutil.copytree(in_cache, given)
    assert hub.locate(SOURCE, path=given) == given
    (given / "config.json").unlink()
    with pytest.raises(errors.ModelUnavailableError, match=r"lacks config\.json"):
        hub.locate(SOURCE, path=given)
    with pytest.raises(errors.ModelUnavailableError, match=r"lacks \*\.json"):
        hub.locate(hub.Source(REPO, ("*.json",)), path=given)
    with pytest.raises(errors.ModelUnavailableError, match="no such folder"):
        hub.locate(SOURCE, path=tmp_path / "nowhere")


def test_pull_writes_to_the_own_store(
    server: LoopbackHub, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMEME_HOME", str(tmp_path / "own"))
    assert hub.pull(SOURCE).is_relative_to(tmp_path / "own/hub/models--org--name")
    assert not cache.exists()


def test_a_model_can_fetch_itself_if_that_is_asked_for(
    server: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMEME_AUTO_PULL", "1")
    assert (hub.locate(SOURCE) / "config.json").is_file()


def test_the_cache_is_where_the_hub_library_has_it(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    for set_up, expected in (
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/c", "HF_HOME": "/b"}, "/c"),
        ({"HF_HOME": "/b/$HOME", "HOME": "h"}, "/b/h/hub"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
        ({"HOME": "/home/me"}, "/home/me/.cache/huggingface/hub"),
    ):
        with monkeypatch.context() as patch:
            patch.delenv("HF_HUB_CACHE")
            for name, value in set_up.items():
                patch.setenv(name, value)
            assert settings.stores() == (Path(expected),)
            patch.setenv("SEMEME_HOME", "/own")
            assert settings.stores() == (Path("/own/hub"), Path(expected))


# the same cache as huggingface_hub


def test_huggingface_hub_finds_what_we_pull(server: LoopbackHub, cache: Path) -> None:
    library = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub to compare with")
    folder = hub.pull(SOURCE)
    for name in SOURCE.files:
        assert library.try_to_load_from_cache(REPO, name, cache_dir=cache) == str(folder / name)
        found = library.hf_hub_download(REPO, name, cache_dir=cache, local_files_only=True)
        assert Path(found) == folder / name
    found = library.snapshot_download(REPO, cache_dir=cache, local_files_only=True)
    assert Path(found) == folder
    info = library.scan_cache_dir(cache)
    assert info.warnings == []
    [repo] = info.repos
    assert (repo.repo_id, repo.size_on_disk, repo.nb_files) == (REPO, len(CONFIG) + len(MODEL), 2)


def test_we_find_what_huggingface_hub_downloads(server: LoopbackHub, cache: Path) -> None:
    library = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub to compare with")
    theirs = Path(library.snapshot_download(REPO, cache_dir=cache, endpoint=server.endpoint, token=False))
    count = len(server.requests)
    assert hub.locate(SOURCE) == hub.pull(SOURCE) == theirs
    assert len(server.requests) == count
    assert [(one.name, one.ok) for one in hub.verify(SOURCE)] == [(name, True) for name in SOURCE.files]
    with pytest.raises(errors.ModelUnavailableError, match="nothing of it was pulled by sememe"):
        hub.remove(SOURCE)
    damage(blob(cache, MODEL))
    with pytest.raises(errors.HashMismatchError):
        hub.locate(SOURCE)
    assert (hub.pull(SOURCE) / "onnx/model.onnx").read_bytes() == MODEL


def test_a_foreign_file_must_be_what_its_blob_is_named_by(server: LoopbackHub, cache: Path) -> None:
    hub.pull(SOURCE)
    lock_file(cache).unlink()
    damage(blob(cache, CONFIG))
    with pytest.raises(errors.HashMismatchError, match=r"config\.json: damaged"):
        hub.locate(SOURCE)
    assert "config.json" not in pins.read(lock_file(cache))["main"].files


# offline


@pytest.mark.parametrize("how", ["asked", "SEMEME_OFFLINE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_opens_no_socket(
    how: str, cache: Path, no_sockets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline = True if how == "asked" else None
    if offline is None:
        monkeypatch.setenv(how, "1")
    with pytest.raises(errors.OfflineError, match="sememe models pull tiny"):
        hub.pull(SOURCE, offline=offline)
    with pytest.raises(errors.OfflineError):
        hub.pull(SOURCE, offline=offline, update=True)
    with pytest.raises(errors.OfflineError):
        hub.locate(SOURCE, offline=offline, download=True)


def test_offline_takes_what_is_here(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = hub.pull(SOURCE)
    monkeypatch.setattr(socket, "socket", None)
    assert hub.pull(SOURCE, offline=True) == hub.locate(SOURCE, offline=True) == folder
    assert hub.pull(hub.Source(REPO, ("*.json",)), offline=True) == folder
    damage(folder / "config.json")
    with pytest.raises(errors.HashMismatchError):
        hub.pull(SOURCE, offline=True)


# interrupted


def test_a_download_goes_on_where_it_ended(server: LoopbackHub, cache: Path) -> None:
    leave_half(server, 2000)
    assert partial(cache).stat().st_size == 2000
    assert hub.find(SOURCE) is None
    hub.pull(SOURCE)
    [request] = [one for one in server.requests if one.host == "cdn"]
    assert request.headers["Range"] == "bytes=2000-"
    assert request.headers["If-Range"].startswith('"cdn-')
    assert blob(cache, MODEL).read_bytes() == MODEL
    assert not partial(cache).exists()


def test_cuts_are_outlived_as_long_as_something_comes(server: LoopbackHub, pauses: list[float]) -> None:
    server.fault("/lfs/", cut=600, times=8)
    hub.pull(SOURCE)
    ranges = [one.headers.get("Range") for one in server.requests if one.host == "cdn"]
    assert ranges == [None, *(f"bytes={600 * i}-" for i in range(1, 9))]
    assert pauses == [0.5] * 8


def test_a_connection_that_brings_nothing_is_given_up(server: LoopbackHub, pauses: list[float]) -> None:
    server.fault("/lfs/", cut=0, times=-1)
    with pytest.raises(errors.ConnectionCutError, match="after 0 of 5120 bytes"):
        hub.pull(SOURCE)
    assert pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("version", ['"another"', 'W/"weak"'])
def test_another_version_is_fetched_anew(version: str, server: LoopbackHub, cache: Path) -> None:
    leave_half(server)
    server.fault("/lfs/", version=version)
    hub.pull(SOURCE)
    assert blob(cache, MODEL).read_bytes() == MODEL
    assert [one.headers["Range"] for one in server.requests if one.host == "cdn"] == ["bytes=2000-"]


@pytest.mark.parametrize("rest", [b"X" * 2000, b"X" * 9000, MODEL])
def test_a_partial_file_is_believed_only_when_all_is_right(
    rest: bytes, server: LoopbackHub, cache: Path
) -> None:
    leave_half(server)
    partial(cache).write_bytes(rest)
    hub.pull(SOURCE)
    assert blob(cache, MODEL).read_bytes() == MODEL
    assert not list(blob(cache, MODEL).parent.glob("*.incomplete*"))


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 416},
        {"status": 206, "headers": {"Content-Range": "bytes 7-5119/5120"}, "body": MODEL[7:]},
        {"status": 206, "headers": {"Content-Range": "bytes 2000-5120/5121"}, "body": MODEL[1999:]},
        {"status": 206, "headers": {}, "body": MODEL[2000:]},
    ],
)
def test_a_server_that_goes_on_elsewhere_is_asked_for_all(
    answer: dict[str, object], server: LoopbackHub, cache: Path
) -> None:
    leave_half(server)
    server.fault("/lfs/", **answer)
    hub.pull(SOURCE)
    assert blob(cache, MODEL).read_bytes() == MODEL


def test_a_killed_pull_is_taken_up(server: LoopbackHub, cache: Path) -> None:
    server.fault("/lfs/", drip=30.0)
    code = "import sys; from sememe import hub; hub.pull(hub.Source(sys.argv[1], tuple(sys.argv[2:])))"
    process = subprocess.Popen([sys.executable, "-c", code, REPO, *SOURCE.files])
    try:
        end = time.monotonic() + 60
        while not (partial(cache).exists() and partial(cache).stat().st_size == len(MODEL) - 1):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert hub.find(SOURCE) is None
    server.requests.clear()
    assert (hub.pull(SOURCE) / "onnx/model.onnx").read_bytes() == MODEL
    assert [one.headers["Range"] for one in server.requests if one.host == "cdn"] == ["bytes=5119-"]


# other bytes than expected


@pytest.mark.parametrize("name", SOURCE.files)
def test_wrong_bytes_are_refused(name: str, server: LoopbackHub, cache: Path) -> None:
    server.fault(name, change=lambda data: data[:-1] + b"X", times=-1)
    with pytest.raises(errors.HashMismatchError, match="sent other bytes than it lists"):
        hub.pull(SOURCE)
    assert hub.find(SOURCE) is None
    assert not blob(cache, FILES[name]).exists()
    assert not list(blob(cache, MODEL).parent.glob("*.incomplete*"))
    server.heal()
    hub.pull(SOURCE)


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"X"])
def test_another_length_is_refused(change: Callable[[bytes], bytes], server: LoopbackHub) -> None:
    server.fault("/lfs/", change=change, times=-1)
    with pytest.raises(errors.UnexpectedAnswerError, match="the hub lists 5120 bytes and offers 51"):
        hub.pull(SOURCE)


def test_a_file_that_was_touched_is_hashed_again(server: LoopbackHub, cache: Path) -> None:
    folder = hub.pull(SOURCE)
    os.utime(blob(cache, MODEL), ns=(0, 0))
    assert hub.locate(SOURCE) == folder
    damage(blob(cache, MODEL))
    with pytest.raises(errors.HashMismatchError, match="run `sememe models pull tiny`"):
        hub.locate(SOURCE)
    with pytest.raises(errors.HashMismatchError):
        hub.locate(SOURCE)
    server.requests.clear()
    hub.pull(SOURCE)
    assert len(server.paths("cdn")) == 1
    assert hub.locate(SOURCE) == folder


def test_silent_damage_is_found_by_verify(server: LoopbackHub, cache: Path) -> None:
    folder = hub.pull(SOURCE)
    damage(blob(cache, MODEL), keep_time=True)
    assert hub.locate(SOURCE) == folder  # its time says that nobody touched it
    heard: list[tuple[int, int]] = []
    checks = hub.verify(SOURCE, progress=lambda done, total: heard.append((done, total)))
    assert {one.name: one.ok for one in checks} == {"config.json": True, "onnx/model.onnx": False}
    assert heard[-1] == (5131, 5131)
    with pytest.raises(errors.HashMismatchError):
        hub.locate(SOURCE)
    hub.pull(SOURCE)
    assert all(one.ok for one in hub.verify(SOURCE))


def test_what_was_pinned_stays(server: LoopbackHub) -> None:
    folder = hub.pull(SOURCE)
    newer = server.publish(REPO, {**FILES, "config.json": b"{}", "vocab.txt": b""})
    assert hub.pull(SOURCE) == folder
    (folder / "config.json").unlink()
    assert hub.pull(SOURCE) == folder
    assert (folder / "config.json").read_bytes() == CONFIG
    updated = hub.pull(SOURCE, update=True)
    assert updated.name == newer
    assert (updated / "config.json").read_bytes() == b"{}"
    assert (updated / "vocab.txt").read_bytes() == b""
    assert hub.locate(SOURCE) == updated


def test_an_update_takes_the_old_files_away(server: LoopbackHub, cache: Path) -> None:
    hub.pull(SOURCE)
    server.publish(REPO, {**FILES, "config.json": b"{}"})
    folder = hub.pull(SOURCE, update=True)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert not blob(cache, CONFIG).exists()
    assert [one.revision for one in hub.installed()] == ["main"]
    assert all(one.ok for one in hub.verify(SOURCE))
    hub.remove(SOURCE)
    assert not Repo(cache, REPO).folder.exists()


def test_an_update_keeps_commits_that_have_their_own_name(server: LoopbackHub) -> None:
    first = hub.Source(REPO, SOURCE.files, revision=server.commit(REPO))
    hub.pull(SOURCE)
    hub.pull(first)
    second = hub.Source(REPO, SOURCE.files, revision=server.publish(REPO, {**FILES, "config.json": b"{}"}))
    hub.pull(second)
    hub.pull(SOURCE, update=True)
    assert hub.locate(second) == hub.locate(SOURCE)
    assert (hub.locate(first) / "config.json").read_bytes() == CONFIG
    assert {one.revision for one in hub.installed()} == {"main", first.revision, second.revision}


def test_an_update_that_fails_leaves_the_old(server: LoopbackHub) -> None:
    folder = hub.pull(SOURCE)
    newest = server.publish(REPO, {**FILES, "config.json": b"{}", "onnx/model.onnx": MODEL[:-1]})
    server.fault("/lfs/", status=403)
    with pytest.raises(errors.AccessDeniedError):
        hub.pull(SOURCE, update=True)
    assert hub.locate(SOURCE) == hub.pull(SOURCE) == folder
    assert [one.path for one in hub.installed()] == [folder]
    assert hub.pull(SOURCE, update=True).name == newest
    assert [one.path.name for one in hub.installed()] == [newest]
    assert not folder.exists()


@pytest.mark.parametrize("again", [True, False])
def test_nothing_is_left_of_an_update_that_failed(again: bool, server: LoopbackHub, cache: Path) -> None:
    hub.pull(SOURCE)
    for config in (b"{}", b"[]"):
        server.publish(REPO, {"config.json": config, "onnx/model.onnx": MODEL + config})
        server.fault("/lfs/", status=403)
        with pytest.raises(errors.AccessDeniedError):
            hub.pull(SOURCE, update=True)
    assert not blob(cache, b"{}").exists()
    assert blob(cache, b"[]").exists()
    if again:
        hub.pull(SOURCE, update=True)
        assert len(list(blob(cache, b"[]").parent.iterdir())) == 2
    hub.remove(SOURCE)
    assert not Repo(cache, REPO).folder.exists()


def test_an_update_to_the_same_commit_asks_for_nothing(server: LoopbackHub) -> None:
    folder = hub.pull(SOURCE)
    server.requests.clear()
    assert hub.pull(SOURCE, update=True) == folder
    assert not any("/resolve/" in path for path in server.paths())


@pytest.mark.parametrize("name", SOURCE.files)
def test_a_hub_that_exchanges_a_file_is_found_out(name: str, server: LoopbackHub, cache: Path) -> None:
    """The commit is the same, so the listing of a mirror contradicts what was pinned."""
    folder = hub.pull(SOURCE)
    commit, files = server.files(REPO, "main") or ("", {})
    blob(cache, FILES[name]).unlink()
    files[name] = bytes(reversed(FILES[name]))
    assert server.commit(REPO) == commit
    with pytest.raises(errors.HashMismatchError, match=r"another file than was pinned.*removing"):
        hub.pull(SOURCE)
    assert not (folder / name).exists()


def test_verify_needs_something_to_verify(cache: Path) -> None:
    with pytest.raises(errors.ModelUnavailableError, match="models pull tiny"):
        hub.verify(SOURCE)


# what a hub may answer


@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [
        (401, errors.AccessDeniedError, 1),
        (403, errors.AccessDeniedError, 1),
        (404, errors.NotOnHubError, 1),
        (410, errors.NotOnHubError, 1),
        (418, errors.UnexpectedAnswerError, 1),
        (429, errors.HubBusyError, 4),
        (500, errors.HubBusyError, 4),
        (503, errors.HubBusyError, 4),
    ],
)
@pytest.mark.parametrize("where", ["/revision/", "/tree/", "/resolve/", "/lfs/"])
def test_refusals_have_names(
    status: int, error: type[errors.SememeError], attempts: int, where: str, server: LoopbackHub
) -> None:
    server.fault(where, status=status, times=-1)
    with pytest.raises(error, match=f"HTTP {status}") as caught:
        hub.pull(SOURCE)
    assert (caught.value.exit_code, str(caught.value).count("\n")) == (5, 0)
    asked = [one.path for one in server.requests if where in one.path]
    assert len(asked) == attempts


def test_a_hub_that_asks_for_patience_gets_it(server: LoopbackHub, pauses: list[float]) -> None:
    server.fault("/tree/", status=429, headers={"Retry-After": "7"})
    server.fault("/tree/", status=503, headers={"Retry-After": "Fri, 20 Nov 2026 00:00:00 GMT"})
    told: list[str] = []
    hub.pull(SOURCE, note=told.append)
    assert pauses == [7, 1.0]
    assert told[0].endswith("(HTTP 429); try again in 7 s; trying again in 7 s")


def test_a_hub_that_asks_for_too_much_patience_does_not(server: LoopbackHub, pauses: list[float]) -> None:
    server.fault("/tree/", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(errors.HubBusyError, match="in 3600 s"):
        hub.pull(SOURCE)
    assert pauses == []


@pytest.mark.parametrize("where", ["/revision/", "/tree/", "config.json", "/lfs/"])
def test_a_web_page_is_no_answer(where: str, server: LoopbackHub, cache: Path) -> None:
    page = b"<html>please log in</html>"
    server.fault(where, status=200, headers={"Content-Type": "text/html; charset=utf-8"}, body=page)
    with pytest.raises(errors.UnexpectedAnswerError, match="wants a login"):
        hub.pull(SOURCE)
    assert not list(cache.rglob("*.incomplete"))


ENTRY = {"type": "file", "path": "config.json", "size": 2, "oid": "0" * 40}


@pytest.mark.parametrize(
    ("where", "answer"),
    [
        ("/revision/", []),
        ("/revision/", {}),
        ("/revision/", {"sha": "../../etc"}),
        ("/revision/", {"sha": 7}),
        ("/tree/", None),
        ("/tree/", {"error": "x"}),
        ("/tree/", [1]),
        ("/tree/", [{}]),
        ("/tree/", [ENTRY | {"size": -1}]),
        ("/tree/", [ENTRY | {"size": "2"}]),
        ("/tree/", [ENTRY | {"oid": "../x"}]),
        ("/tree/", [ENTRY | {"oid": None}]),
        ("/tree/", [ENTRY | {"path": 7}]),
        ("/tree/", [ENTRY | {"lfs": {"size": 2}}]),
    ],
)
def test_an_answer_of_another_shape_is_refused(where: str, answer: object, server: LoopbackHub) -> None:
    server.fault(where, status=200, body=json.dumps(answer).encode())
    with pytest.raises((errors.UnexpectedAnswerError, AttributeError)) as caught:
        hub.pull(SOURCE)
    assert caught.type is errors.UnexpectedAnswerError


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_no_json_is_refused(body: bytes, server: LoopbackHub) -> None:
    server.fault("/tree/", status=200, body=body)
    with pytest.raises(errors.UnexpectedAnswerError, match="no JSON"):
        hub.pull(SOURCE)


def test_a_list_that_is_cut_off_is_asked_for_again(server: LoopbackHub, pauses: list[float]) -> None:
    server.fault("/tree/", cut=10)
    hub.pull(SOURCE)
    server.fault("/tree/", cut=10, times=-1)
    with pytest.raises(errors.ConnectionCutError, match="list of files"):
        hub.pull(SOURCE, update=True)
    assert pauses == [0.5, 0.5, 1.0, 2.0]


def test_a_list_without_end_is_refused(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sememe.hub.listing._MAX_PAGES", 3)
    link = f'<{server.endpoint}/api/models/{REPO}/tree/x>; rel="next"'
    server.fault("/tree/", status=200, headers={"Link": link}, body=b"[]", times=-1)
    with pytest.raises(errors.UnexpectedAnswerError, match="does not end"):
        hub.pull(SOURCE)


EVIL = ["../evil", "/evil", "a/../../evil", "..", "", "a//b", "./a", "a\\..\\b", "a\nb", "a\x00b"]


@pytest.mark.parametrize("name", EVIL)
def test_names_that_lead_out_are_refused(name: str, server: LoopbackHub, cache: Path) -> None:
    server.list_file = lambda entry: entry | {"path": name}
    with pytest.raises(errors.UnsafeNameError, match="outside its folder"):
        hub.pull(hub.Source(REPO, ("*",)))
    assert not list(cache.parent.rglob("*evil*"))
    assert not (cache / "models--org--name").exists()


@settings_of(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab./\\~ \x00"), max_size=12) | st.text(max_size=12))
def test_safe_names_stay_inside(name: str) -> None:
    if is_safe(name):
        root = Path("/root/of/all")
        assert Path(os.path.normpath(root / name)).is_relative_to(root)
        assert os.path.normpath(root / name) == str(root / name) != str(root)


# redirects, tokens, connections


def test_the_token_goes_to_the_hub_alone(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    server.private = "hf_secret"
    with pytest.raises(errors.AccessDeniedError, match="HF_TOKEN"):
        hub.pull(SOURCE)
    server.requests.clear()
    monkeypatch.setenv("HF_TOKEN", "hf_secret\n")
    hub.pull(SOURCE)
    sent = {(one.host, one.headers.get("Authorization")) for one in server.requests}
    assert sent == {("hub", "Bearer hf_secret"), ("cdn", None)}


def test_the_token_is_not_sent_to_another_port_scheme_or_name() -> None:
    asked = client.Client("https://hub.example", "t", 1.0)
    same = ("https://hub.example/x", "https://hub.example:443/x", "https://HUB.example/x")
    others = (
        "http://hub.example/x",
        "https://hub.example:444/x",
        "https://hub.example.evil/x",
        "https://a@x/",
    )
    assert all(client._origin(url) == client._origin(asked.endpoint) for url in same)
    assert not any(client._origin(url) == client._origin(asked.endpoint) for url in others)


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://x/y", "", "http://[x", "data:text/plain,x"]
)
def test_redirects_lead_to_http_or_nowhere(location: str, server: LoopbackHub) -> None:
    server.fault("/resolve/", status=302, headers={"Location": location})
    with pytest.raises(errors.UnexpectedAnswerError, match="redirects to"):
        hub.pull(SOURCE)


def test_a_secure_address_never_redirects_to_a_plain_one() -> None:
    assert client.target("https://a/x/y", "/z w", "f") == "https://a/z%20w"
    assert client.target("http://a/x", "https://b/ü", "f") == "https://b/%C3%BC"
    with pytest.raises(errors.UnexpectedAnswerError):
        client.target("https://a/x", "http://a/x", "f")


def test_redirects_in_circles_end(server: LoopbackHub) -> None:
    server.fault("/resolve/", status=307, headers={"Location": "/org/name/resolve/again"}, times=-1)
    with pytest.raises(errors.UnexpectedAnswerError, match="in circles"):
        hub.pull(SOURCE)


def test_nobody_listens(cache: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(errors.HubUnreachableError, match=r"cannot reach 127.*refused"):
            hub.pull(SOURCE)
    assert pauses == [0.5, 1.0, 2.0]


def test_no_such_host(cache: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **named: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    with pytest.raises(errors.HubUnreachableError, match=r"hub\.invalid .Name or service"):
        hub.pull(SOURCE)


def test_a_certificate_that_nobody_vouches_for(
    cache: Path, pauses: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 1 -subj /CN=127.0.0.1"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    with LoopbackHub({REPO: FILES}, context=context) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        with pytest.raises(errors.HubUnreachableError, match=r"certificate .* SSL_CERT_FILE"):
            hub.pull(SOURCE)
    assert pauses == []


def test_no_hub_at_all(cache: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{listening.getsockname()[1]}")

        def answer(text: bytes) -> None:
            for _ in range(4 if not text else 1):
                connection, _ = listening.accept()
                connection.recv(1 << 16)
                connection.sendall(text)
                connection.close()

        for text, error in (
            (b"220 mail\r\n", errors.UnexpectedAnswerError),
            (b"", errors.ConnectionCutError),
        ):
            thread = threading.Thread(target=answer, args=(text,))
            thread.start()
            with pytest.raises(error):
                hub.pull(SOURCE)
            thread.join()


def test_a_hub_that_falls_silent(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "0.1")
    server.fault("/lfs/", drip=1.0, times=-1)
    with pytest.raises(errors.DownloadTimeoutError, match="HF_HUB_DOWNLOAD_TIMEOUT"):
        hub.pull(SOURCE)
    assert partial(cache).stat().st_size == len(MODEL) - 1


def test_a_proxy_is_asked_where_there_is_one(server: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("http_proxy", server.endpoint)
    hub.pull(SOURCE)
    assert server.paths()
    assert all(path.startswith("http://hub.invalid/") for path in server.paths())


# the disk


def test_a_full_disk_is_seen_before_it_is_full(
    server: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 100) as disk:
        monkeypatch.setenv("SEMEME_HOME", str(disk))
        with pytest.raises(errors.DiskFullError, match="SEMEME_HOME"):
            hub.pull(SOURCE)
        assert server.paths("cdn") == []


def test_a_disk_that_fills_up_underway(
    server: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = os.urandom(300_000)
    server.publish(REPO, {"big.bin": big})
    monkeypatch.setattr("sememe.hub.pulling._SPARE", -(1 << 30))
    source = hub.Source(REPO, ("big.bin",))
    with small_disk(tmp_path / "disk", 100) as disk:
        monkeypatch.setenv("SEMEME_HOME", str(disk))
        with pytest.raises(errors.DiskFullError, match="no space left"):
            hub.pull(source)
        assert hub.find(source) is None
        subprocess.run(["mount", "-o", "remount,size=2m", disk], check=True)
        assert (hub.pull(source) / "big.bin").read_bytes() == big
        assert "Range" in [one for one in server.requests if one.host == "cdn"][-1].headers


def test_a_store_that_may_not_be_written(
    server: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 4000) as disk:
        monkeypatch.setenv("SEMEME_HOME", str(disk))
        folder = hub.pull(SOURCE)
        lock_file(disk / "hub").unlink()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        assert hub.locate(SOURCE) == hub.pull(SOURCE) == folder
        assert all(one.ok for one in hub.verify(SOURCE))
        for name in ("notes.txt", "config.json"):
            with pytest.raises(errors.ReadOnlyError, match="Read-only"):
                hub.pull(hub.Source(REPO, (name,)), update=True)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        hub.locate(SOURCE)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(errors.ModelUnavailableError, match="nothing of it"):
            hub.remove(SOURCE)


def test_a_store_that_is_a_file(cache: Path, server: LoopbackHub) -> None:
    cache.write_text("")
    with pytest.raises(errors.StorageError, match="cache"):
        hub.pull(SOURCE)


# several at once


def test_of_two_pulls_one_waits(server: LoopbackHub) -> None:
    server.fault("/lfs/", drip=0.5)
    told: list[str] = []
    folders: list[Path] = []
    threads = [
        threading.Thread(target=lambda: folders.append(hub.pull(SOURCE, note=told.append))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.paths("cdn")) == 1
    assert folders[0] == folders[1]
    assert told == ["org/name: waiting for another process that downloads it"]


def test_using_a_model_waits_for_nobody(server: LoopbackHub, cache: Path) -> None:
    folder = hub.pull(SOURCE)
    os.utime(blob(cache, MODEL), ns=(0, 0))
    before = lock_file(cache).read_bytes()
    with locking.exclusive(Repo(cache, REPO).guard, REPO, note=lambda text: None):
        assert hub.locate(SOURCE) == folder
        assert lock_file(cache).read_bytes() == before
    assert hub.locate(SOURCE) == folder
    assert lock_file(cache).read_bytes() != before


def test_waiting_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "a/lock"
    with (
        locking.exclusive(path, "x", note=lambda text: None),
        pytest.raises(errors.StoreBusyError, match="still downloads x"),
        locking.exclusive(path, "x", note=lambda text: None, wait=0),
    ):
        pass
    with locking.exclusive(path, "x", note=lambda text: pytest.fail(text)):
        pass


# taking away, and what is here


def test_remove_takes_what_was_pulled(server: LoopbackHub, cache: Path) -> None:
    hub.pull(SOURCE)
    [here] = hub.installed()
    assert (here.repo, here.revision, here.commit) == (REPO, "main", server.commit(REPO))
    assert (here.files, here.nbytes) == (SOURCE.files, len(CONFIG) + len(MODEL))
    gone = hub.remove(SOURCE)
    assert (gone.names, gone.nbytes) == (SOURCE.files, here.nbytes)
    assert hub.installed() == []
    assert not Repo(cache, REPO).folder.exists()
    with pytest.raises(errors.ModelUnavailableError, match="nothing to remove"):
        hub.remove(SOURCE)


def test_remove_leaves_what_others_need(server: LoopbackHub, cache: Path) -> None:
    folder = hub.pull(SOURCE)
    same = hub.Source(REPO, ("config.json",), revision=server.commit(REPO))
    hub.pull(same)
    newer = server.publish(REPO, {**FILES, "config.json": b"{}"})
    hub.pull(hub.Source(REPO, ("onnx/model.onnx",), revision=newer))
    (folder / "other.txt").write_text("of another program")
    hub.remove(SOURCE)
    assert hub.find(SOURCE) is None
    assert (hub.locate(same) / "config.json").read_bytes() == CONFIG
    assert not (folder / "onnx").exists()
    assert blob(cache, MODEL).exists()  # the newer commit has it, too
    assert {one.revision for one in hub.installed()} == {same.revision, newer}
    with pytest.raises(errors.ModelUnavailableError):
        hub.remove(hub.Source(REPO, ("x",), revision=newer))
    hub.remove(hub.Source(REPO, ("*",), revision=newer))
    assert not blob(cache, MODEL).exists()
    hub.remove(same)
    assert [path.name for path in folder.iterdir()] == ["other.txt"]


def test_remove_takes_what_an_interrupted_pull_left(server: LoopbackHub, cache: Path) -> None:
    server.publish(REPO, {"onnx/model.onnx": MODEL})
    source = hub.Source(REPO, ("onnx/model.onnx",))
    server.fault("/lfs/", cut=2000)
    server.fault("/lfs/", status=403)
    with pytest.raises(errors.AccessDeniedError):
        hub.pull(source)
    foreign = partial(cache).with_name(f"{oid_of(MODEL)}.0123abcd.incomplete")
    foreign.write_bytes(b"of another program")
    gone = hub.remove(source)
    assert (gone.names, gone.nbytes > 2000) == ((), True)
    assert not partial(cache).exists()
    assert foreign.exists()


def test_models_that_share_a_repository_are_removed_one_by_one(server: LoopbackHub, cache: Path) -> None:
    one, other = hub.Source(REPO, ("config.json",)), hub.Source(REPO, ("onnx/model.onnx", "notes.txt"))
    hub.pull(one)
    hub.pull(other)
    assert hub.remove(other).names == other.files
    assert (hub.locate(one) / "config.json").read_bytes() == CONFIG
    assert hub.find(other) is None
    assert not blob(cache, MODEL).exists()


# the lock file, sources and settings


HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
PINS = st.builds(Pin, HASHES, st.integers(0, 2**50), st.booleans(), st.none() | st.integers(0, 2**63))
REVISIONS = st.dictionaries(
    st.text(min_size=1),
    st.builds(
        Pinned,
        st.text("0123456789abcdef", min_size=40, max_size=40),
        st.dictionaries(st.text(min_size=1).filter(is_safe), PINS, max_size=3),
    ),
    max_size=3,
)


@settings_of(deadline=None, max_examples=30)
@given(revisions=REVISIONS)
def test_a_lock_file_says_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, revisions: dict[str, Pinned]
) -> None:
    path = tmp_path_factory.getbasetemp() / "sememe.lock.json"
    pins.write(path, revisions)
    assert pins.read(path) == revisions


def test_the_bytes_of_a_lock_file(tmp_path: Path) -> None:
    one = Pin("a" * 64, 3, pulled=True, mtime_ns=5)
    revisions = {"main": Pinned("c" * 40, {"b.json": Pin("b" * 64, 0, pulled=False), "a/ü.onnx": one})}
    pins.write(tmp_path / "lock", revisions)
    golden = Path(__file__).parent / "golden" / "sememe.lock.json"
    assert (tmp_path / "lock").read_bytes() == golden.read_bytes()
    assert pins.read(golden) == revisions


FILE = {"sha256": "0" * 64, "nbytes": 1, "pulled": True, "mtime_ns": None}


def lock_text(**changes: object) -> dict[str, object]:
    files = {str(changes.pop("name", "a")): FILE | changes}
    return {"version": 1, "revisions": {"main": {"commit": "0" * 40, "files": files}}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[",
        b"null",
        b"[]",
        b"{}",
        b'{"version": 2, "revisions": {}}',
        b'{"version": 1, "revisions": []}',
        b'{"version": 1, "revisions": {"main": {"commit": "../x", "files": {}}}}',
        *(
            json.dumps(lock_text(**{name: value})).encode()
            for name, value in (
                ("sha256", "x"),
                ("sha256", 7),
                ("nbytes", -1),
                ("nbytes", "1"),
                ("pulled", 1),
                ("mtime_ns", 0.5),
                ("more", 1),
                ("name", "../x"),
            )
        ),
    ],
)
def test_a_damaged_lock_file_is_named(content: bytes, server: LoopbackHub, cache: Path) -> None:
    folder = hub.pull(SOURCE)
    lock_file(cache).write_bytes(content)
    for use in (hub.locate, hub.pull, hub.verify, hub.remove, lambda source: hub.installed()):
        with pytest.raises(errors.LockFileError, match="delete it"):
            use(SOURCE)
    lock_file(cache).unlink()
    assert hub.locate(SOURCE) == folder


@pytest.mark.parametrize(
    ("repo", "files", "revision"),
    [
        ("", ("a",), "main"),
        ("a/b/c", ("a",), "main"),
        ("../a", ("a",), "main"),
        ("a--b/c", ("a",), "main"),
        ("a/b", (), "main"),
        ("a/b", ("../x",), "main"),
        ("a/b", ("/x",), "main"),
        ("a/b", ("x",), "../../x"),
        ("a/b", ("x",), ""),
    ],
)
def test_a_source_must_make_sense(repo: str, files: tuple[str, ...], revision: str) -> None:
    with pytest.raises(errors.UsageError):
        hub.Source(repo, files, revision)


def test_a_source_knows_its_command() -> None:
    assert SOURCE.command == "sememe models pull tiny"
    command = "sememe models pull hf:a/b@v1 --files 'x,*.json'"
    assert hub.Source("a/b", ("x", "*.json"), "v1").command == command


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HF_ENDPOINT", "hub.example"),
        ("HF_ENDPOINT", "ftp://hub.example"),
        ("HF_ENDPOINT", "http://hub.example:x"),
        ("HF_ENDPOINT", "http://h\u00fcb"),
        ("HF_TOKEN", "a\nb"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "soon"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "-1"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "nan"),
    ],
)
def test_settings_that_are_none(
    name: str, value: str, cache: Path, no_sockets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(errors.UsageError, match=name):
        hub.pull(SOURCE)


def test_importing_it_is_cheap() -> None:
    code = (
        "import sys; import sememe.hub; "
        "print([m for m in ('numpy', 'torch', 'huggingface_hub', 'requests', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
