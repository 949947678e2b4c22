"""What `encode` reads besides files: tar shards, Parquet with pictures, lists on stdin."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from pathlib import Path

import pytest

from sememe import Archive, api
from sememe.batch import encode_paths, expand
from sememe.errors import UsageError
from toys import picture, save_pictures, toy_codec
from workbench import TOY, Bench


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    picture(seed).save(buffer, "PNG")
    return buffer.getvalue()


def run(inputs, target):
    return encode_paths([str(name) for name in inputs], target, toy_codec(), progress=False)


def summary(report) -> tuple[int, int, int, int]:
    return report.new, report.changed, report.unchanged, len(report.failed)


def codes_in(path: Path) -> dict[str, bytes]:
    assert api.verify(path) == []
    with Archive.open(path) as archive:
        return {item.path: archive.code(item.path) for item in archive.items("ok")}


def code(seed: int) -> bytes:
    return toy_codec().encode([picture(seed)])[0]


def member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def write_tar(path: Path, pictures: dict[str, bytes], *others: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as tar:
        for info in others:
            tar.addfile(info)
        for name, data in pictures.items():
            tar.addfile(member(name, len(data)), io.BytesIO(data))
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "photos.sems"


# ---------------------------------------------------------------- tar


def test_a_tar_shard_holds_samples_by_key(tmp_path: Path, target: Path, monkeypatch) -> None:
    samples = {
        "a/000.png": png(0),
        "a/000.json": b"{}",
        "001.PNG": png(1),
        "001.cls": b"3",
        "._001.png": b"x",
    }
    shard = write_tar(tmp_path / "shard-0.tar", samples, member("a", kind=tarfile.DIRTYPE))
    assert summary(run([shard], target)) == (2, 0, 0, 0)
    assert codes_in(target) == {f"{shard}/a/000.png": code(0), f"{shard}/001.PNG": code(1)}
    with monkeypatch.context() as patch:
        patch.setattr("sememe.api.space.Space.open", lambda *_: pytest.fail("decoded again"))
        patch.setattr("tarfile.TarFile.extractfile", lambda *_: pytest.fail("read again"))
        assert summary(run([shard], target)) == (0, 0, 2, 0)
    write_tar(shard, samples | {"001.PNG": png(7), "002.png": png(2), "bad.png": b"no"})
    os.utime(shard, ns=(0, 1_000_000_000))
    assert summary(run([shard], target)) == (1, 1, 1, 1)
    assert codes_in(target)[f"{shard}/001.PNG"] == code(7)
    assert summary(run([shard], target)) == (0, 0, 3, 1)


def test_hostile_members_are_named_and_the_others_taken(tmp_path: Path, target: Path, monkeypatch) -> None:
    monkeypatch.setattr("sememe.batch.containers.MAX_MEMBER", 5000)
    bad = [
        member("../../etc/up.png"),
        member("/etc/root.png"),
        member("a/../../b.png"),
        member("soft.png", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        member("hard.png", kind=tarfile.LNKTYPE, link="ok.png"),
        member("fifo.png", kind=tarfile.FIFOTYPE),
        member("device.png", kind=tarfile.CHRTYPE),
    ]
    pictures = {"huge.png": bytes(5001), "ok.png": png(1), "empty.png": b"", "last.png": png(2)}
    shard = write_tar(tmp_path / "x.tar", pictures, *bad)
    report = run([shard], target)
    assert codes_in(target) == {f"{shard}/ok.png": code(1), f"{shard}/last.png": code(2)}
    why = {failure.path.removeprefix(f"{shard}/"): failure.error for failure in report.failed}
    assert len(why) == len(bad) + 2
    assert all("leads out" in why[name] for name in ("../../etc/up.png", "/etc/root.png", "a/../../b.png"))
    assert all("link" in why[name] for name in ("soft.png", "hard.png"))
    assert all("device" in why[name] for name in ("fifo.png", "device.png"))
    assert "more than a picture" in why["huge.png"]
    with Archive.open(target) as archive:
        assert not any(".." in item.path for item in archive.items())
    assert summary(run([shard], target)) == (0, 0, 2, len(bad) + 2)


def test_a_damaged_tar_gives_what_came_before(tmp_path: Path, target: Path) -> None:
    shard = write_tar(tmp_path / "x.tar", {f"{i}.png": png(i) for i in range(6)})
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 3])
    write_tar(tmp_path / "header.tar", {"a.png": png(0), "b.png": png(1)})
    data = bytearray((tmp_path / "header.tar").read_bytes())
    data[data.index(b"b.png") + 124] ^= 0xFF
    (tmp_path / "header.tar").write_bytes(data)
    (tmp_path / "junk.tar").write_bytes(b"no tar file" * 100)
    (tmp_path / "empty.tar").write_bytes(b"")
    save_pictures(tmp_path / "p", 1)
    inputs = [shard, tmp_path / "junk.tar", tmp_path / "empty.tar", tmp_path / "absent.tar", tmp_path / "p"]
    report = run(inputs, target)
    assert 0 < report.new - 1 < 6
    names = {Path(failure.path).name for failure in report.failed}
    assert names >= {"x.tar", "junk.tar", "empty.tar", "absent.tar"}
    assert summary(run([tmp_path / "header.tar"], target)) == (1, 0, 0, 1)
    shard.write_bytes(whole)
    assert run([shard], target).images == 6


def test_a_header_that_claims_gigabytes_is_not_read(tmp_path: Path, target: Path) -> None:
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    (tmp_path / "x.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(10240))
    report = run([tmp_path / "x.tar"], target)
    assert "header" in report.failed[0].error


@pytest.mark.parametrize("position", range(0, 512, 7))
def test_no_byte_of_a_header_breaks_the_run(tmp_path: Path, target: Path, position: int) -> None:
    shard = write_tar(tmp_path / "x.tar", {"0.png": png(0)})
    raw = bytearray(shard.read_bytes())
    raw[position] ^= 0xFF
    raw[148:156] = b"%06o\0 " % (256 + sum(raw[:148]) + sum(raw[156:512]))  # a checksum that is right
    shard.write_bytes(raw)
    report = run([shard], target)
    assert report.images + len(report.failed) <= 1


# ---------------------------------------------------------------- Parquet


@pytest.fixture
def parquet():
    return pytest.importorskip("pyarrow.parquet", reason="needs the extra: pip install 'sememe[parquet]'")


def test_parquet_with_bytes_and_with_structs(tmp_path: Path, target: Path, parquet, monkeypatch) -> None:
    import pyarrow as pa

    plain, structs = tmp_path / "plain.parquet", tmp_path / "structs.parquet"
    parquet.write_table(pa.table({"id": [1, 2, 3], "jpg": [png(0), None, b"no picture"]}), plain)
    rows = [
        {"bytes": png(3), "path": "a.png"},
        {"bytes": png(4), "path": "a.png"},  # that name is taken
        {"bytes": png(5), "path": "../x.png"},
        {"bytes": png(6), "path": None},
        None,
    ]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    parquet.write_table(pa.table({"label": [0] * 5, "image": pa.array(rows, kind)}), structs)
    report = run([plain, structs], target)
    assert summary(report) == (5, 0, 0, 3)
    assert codes_in(target) == {
        f"{plain}#0": code(0),
        f"{structs}/a.png": code(3),
        f"{structs}#1": code(4),
        f"{structs}#2": code(5),
        f"{structs}#3": code(6),
    }
    with Archive.open(target) as archive:
        assert [item.path for item in archive.failed()] == [f"{plain}#1", f"{plain}#2", f"{structs}#4"]
    monkeypatch.setattr("sememe.api.space.Space.embed_images", lambda *_: pytest.fail("encoded again"))
    assert summary(run([plain, structs], target)) == (0, 0, 5, 3)


def test_parquet_without_pictures_is_a_failure(tmp_path: Path, target: Path, parquet) -> None:
    import pyarrow as pa

    parquet.write_table(pa.table({"a": [1]}), tmp_path / "none.parquet")
    parquet.write_table(pa.table({"a": [b"1"], "b": [b"2"]}), tmp_path / "two.parquet")
    (tmp_path / "junk.parquet").write_bytes(b"PAR1 junk PAR1")
    save_pictures(tmp_path / "p", 1)
    inputs = [*sorted(tmp_path.glob("*.parquet")), tmp_path / "p"]
    report = run(inputs, target)
    assert summary(report) == (1, 0, 0, 3)
    assert ["column" in failure.error for failure in report.failed] == [False, True, True]


# ---------------------------------------------------------------- lists


def test_a_list_on_stdin(bench: Bench) -> None:
    names = b"photos/red.png\n# no\n\nphotos/b*.png\nphotos/absent.png\n"
    for name in ("-", "@-"):
        done = bench.run("encode", name, "-o", f"{len(name)}.sems", "--json", *TOY, stdin=names)
        told = json.loads(done.stdout)
        assert (done.returncode, told["new"], len(told["failed"])) == (3, 3, 1)
    assert bench.fails("encode", "-", "-o", "x.sems", *TOY, stdin=png(0))[0] == 2


def test_a_list_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png(0))
    with pytest.raises(UsageError, match="no list"):
        expand([f"@{tmp_path}/cat.png"])


def test_a_terminal_holds_no_list(monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(UsageError, match="terminal"):
        expand(["@-"])
