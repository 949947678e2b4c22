"""Bad input, end to end: each kind has a defined answer, the run goes on, the archive stays whole."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sememe.archive import Archive
from workbench import COLOURS, TOY, Bench, hear_interrupts, picture, toy_profile


def jpeg(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def png(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 100,000 pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(99)))
        + chunk(b"IEND", b"")
    )


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8))

UNUSABLE = {
    "zero-byte.jpg": b"",
    "text.jpg": b"this is no picture\n",
    "truncated.jpg": jpeg(NOISE)[:9000],
    "truncated.png": picture("red", (900, 900))[:200],
    "bomb.png": bomb(),
    "page.html": b"<!doctype html><img src=cat.jpg>",
    "random.webp": np.random.default_rng(1).bytes(500),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_one_unusable_image_is_1_and_one_line(bench: Bench, name: str) -> None:
    bench.path(name).write_bytes(UNUSABLE[name])
    for output in ((), ("-o", "x.sem"), ("--json",)):
        status, complaint = bench.fails("encode", name, *output, *TOY)
        assert status == 1
        assert complaint.startswith(f"{name}: ")
    assert not bench.path("x.sem").exists()
    if name == "bomb.png":
        assert "large" in complaint


def test_a_run_goes_on_and_lists_what_failed(bench: Bench) -> None:
    for name, data in UNUSABLE.items():
        bench.path(f"photos/{name}").write_bytes(data)
    named = [f"photos/{name}" for name in UNUSABLE]
    done = bench.run("encode", "photos", *named, "photos/gone.jpg", "-o", "a.sems", "--json", *TOY)
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert told["new"] == len(COLOURS)
    assert {one["path"] for one in told["failed"]} == {*named, "photos/gone.jpg"}
    listed = done.stderr.decode().splitlines()
    assert len(listed) == len(UNUSABLE) + 1
    assert all(line.startswith("sememe: photos/") for line in listed)
    assert bench.ok("verify", "a.sems") == "a.sems: ok\n"
    with Archive.open(bench.path("a.sems")) as archive:
        assert len(archive) == len(COLOURS)
        assert {item.path for item in archive.failed()} <= {*named, "photos/gone.jpg"}


def test_lines_and_streams_go_on_too(bench: Bench) -> None:
    bench.path("photos/text.jpg").write_bytes(b"no picture")
    done = bench.run("encode", "photos", "--json", *TOY)
    assert (done.returncode, len(done.stdout.splitlines())) == (3, len(COLOURS))
    done = bench.run("encode", "photos", "-o", "-", *TOY)
    assert done.returncode == 3
    assert done.stderr.startswith(b"sememe: photos/text.jpg: ")
    done = bench.run("classify", "photos", "--labels", "red,blue", "--json", *TOY)
    assert (done.returncode, len(done.stdout.splitlines())) == (3, len(COLOURS))


def code_of(bench: Bench, name: str, data: bytes) -> str:
    bench.path(name).write_bytes(data)
    return bench.ok("encode", name, *TOY).split()[0]


def test_unusual_pictures_are_used_as_a_viewer_shows_them(bench: Bench) -> None:
    """CMYK, 16-bit grey and animated pictures: each gives the code of the plain picture."""
    red, grey = code_of(bench, "red.png", picture("red")), code_of(bench, "grey.png", picture("#808080"))
    cmyk = jpeg(Image.new("CMYK", (64, 48), (0, 255, 255, 0)))
    deep, flat = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.full((48, 64), 0x8080, np.uint16)).save(deep, "PNG")
    frames = [Image.new("P", (64, 48), 0) for _ in range(3)]
    for frame, colour in zip(frames, ((255, 0, 0), (0, 255, 0), (0, 0, 255)), strict=True):
        frame.putpalette(colour * 256)
    frames[0].save(flat, "GIF", save_all=True, append_images=frames[1:])
    assert code_of(bench, "animated.gif", flat.getvalue()) == red  # its first frame
    assert code_of(bench, "deep.png", deep.getvalue()) == grey
    assert cosine(bench, "cmyk.jpg", cmyk, "red") > 0.98  # JPEG is not exact


def cosine(bench: Bench, name: str, data: bytes, colour: str) -> float:
    """Cosine between what the codes of a picture and of a plain colour decode to."""
    bench.path(name).write_bytes(data)
    vectors = []
    for source in (name, f"photos/{colour}.png"):
        bench.ok("encode", source, "-o", "x.sem", "--bytes", "64", *TOY)
        done = bench.run("decode", "x.sem", "-o", "-", *TOY)
        vectors.append(np.load(io.BytesIO(done.stdout))[0])
    return float(vectors[0] @ vectors[1])


def test_a_rotated_photo_is_turned_upright(bench: Bench) -> None:
    upright = Image.new("RGB", (60, 40), "red")
    upright.paste("blue", (0, 20, 60, 40))  # below
    sideways = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    bench.path("turned.png").write_bytes(png(sideways, exif=exif))
    row = json.loads(bench.ok("encode", "turned.png", "--json", *TOY))
    assert (row["width"], row["height"]) == (60, 40)
    assert row["code"] == code_of(bench, "upright.png", png(upright))
    assert row["code"] != code_of(bench, "sideways.png", png(sideways))


def test_folders_and_links_that_lead_nowhere(bench: Bench) -> None:
    bench.path("loop").symlink_to("loop")
    bench.path("photos/loop.jpg").symlink_to("loop.jpg")
    bench.path("photos/dead.jpg").symlink_to("nowhere.jpg")
    bench.path("photos/up").symlink_to("..")
    done = bench.run("encode", "photos", "loop", "-o", "a.sems", "--json", *TOY)
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert told["new"] == len(COLOURS)
    assert {"photos/loop.jpg", "photos/dead.jpg", "loop"} <= {one["path"] for one in told["failed"]}


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_files_and_folders_without_permission(bench: Bench) -> None:
    (bench.path("photos/secret")).mkdir(mode=0)
    bench.path("photos/blue.png").chmod(0)
    done = bench.run("encode", "photos", "-o", "a.sems", "--json", *TOY)
    assert done.returncode == 3
    failed = {one["path"]: one["error"] for one in json.loads(done.stdout)["failed"]}
    assert set(failed) == {"photos/secret", "photos/blue.png"}
    bench.path("photos/secret").chmod(0o700)


def test_an_empty_folder_is_a_usage_error(bench: Bench) -> None:
    bench.path("empty").mkdir()
    status, complaint = bench.fails("encode", "empty", *TOY)
    assert (status, "no picture" in complaint) == (2, True)


# Labels, profiles


@pytest.mark.parametrize("labels", ["", ",", "@gone.txt", "empty.txt"])
def test_labels_that_are_none(bench: Bench, labels: str) -> None:
    bench.path("empty.txt").write_text("\n\n")
    status, complaint = bench.fails("classify", "photos/red.png", "--labels", labels, *TOY)
    assert status == 2
    assert "label" in complaint


def test_words_that_the_model_does_not_know(bench: Bench) -> None:
    """Alone they are an error; in a sentence that is known they are labels that do not fit."""
    bench.ok("encode", "photos/red.png", "-o", "red.sem")
    status, complaint = bench.fails("search", "red.sem", "\N{UNICORN FACE}")
    assert (status, "\N{UNICORN FACE}" in complaint) == (2, True)
    told = json.loads(bench.ok("classify", "red.sem", "--labels", "\N{UNICORN FACE},zqxv", "--json"))
    assert told["none"] is True


def test_a_label_file_that_is_no_text(bench: Bench) -> None:
    status, complaint = bench.fails("classify", "photos/red.png", "--labels", "photos/red.png", *TOY)
    assert (status, "UTF-8" in complaint) == (2, True)


def test_a_template_without_a_place_for_the_label(bench: Bench) -> None:
    status, complaint = bench.fails(
        "classify", "photos/red.png", "--labels", "a", "--template", "photo", *TOY
    )
    assert (status, "{}" in complaint) == (2, True)


def test_profiles_that_are_not_there_or_not_profiles(bench: Bench) -> None:
    status, complaint = bench.fails("encode", "photos/red.png", "--profile", "gone.profile")
    assert (status, complaint.startswith("gone.profile: ")) == (2, True)
    status, complaint = bench.fails("encode", "photos/red.png", "--profile", "photos/red.png")
    assert (status, "not a profile" in complaint) == (4, True)


def test_the_wrong_profile_is_refused(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = str(toy_profile(tmp_path_factory.mktemp("other") / "other.profile", seed=1))
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    before = bench.path("a.sems").read_bytes()
    for args in (
        ("encode", "photos", "-o", "a.sems"),
        ("search", "a.sems", "red"),
        ("classify", "red.sem", "--labels", "red"),
        ("explain", "red.sem"),
        ("decode", "red.sem", "-o", "x.npy"),
        ("decode", "a.sems", "-o", "x.npy"),
        ("verify", "red.sem"),
    ):
        done = bench.run(*args, "--profile", other)
        assert done.returncode == 4, args
        assert b"profile" in done.stderr + done.stdout
    assert bench.path("a.sems").read_bytes() == before
    status, complaint = bench.fails("classify", "red.sem", "--labels", "red")
    assert (status, "--profile" in complaint) == (
        2,
        True,
    )  # a file carries four bytes of the fingerprint only


def test_another_length_than_the_archive_has_is_refused(bench: Bench) -> None:
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    status, complaint = bench.fails("encode", "photos", "-o", "a.sems", "--bytes", "8", *TOY)
    assert (status, "8" in complaint) == (4, True)


def test_a_model_that_is_not_here_is_5(bench: Bench) -> None:
    status, complaint = bench.fails("encode", "photos/red.png", "--profile", "clip-vit-b32")
    assert (status, "clip-vit-b32" in complaint) == (5, True)


@pytest.mark.parametrize("damage", ["empty", "torn", "flipped", "text"])
def test_damaged_codes_are_4(bench: Bench, damage: str) -> None:
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    whole = bench.path("red.sem").read_bytes()
    damaged = {
        "empty": b"",
        "torn": whole[:-3],
        "flipped": bytes([*whole[:12], whole[12] ^ 4, *whole[13:]]),
        "text": b"hello",
    }
    bench.path("red.sem").write_bytes(damaged[damage])
    for verb, *options in (
        ("info",),
        ("classify", "--labels", "red", *TOY),
        ("explain", *TOY),
        ("decode", "-o", "x.npy", *TOY),
        ("truncate", "--bytes", "4", "-o", "y.sem"),
    ):
        status, complaint = bench.fails(verb, "red.sem", *options)
        assert (verb, status, complaint.startswith("red.sem: ")) == (verb, 4, True)


READERS = [("info",), ("search", "red"), ("verify",), ("decode", "-o", "x.npy")]


@pytest.mark.parametrize("verb", [*READERS, ("export",), ("classify", "--labels", "a")])
def test_a_damaged_archive_is_4(bench: Bench, verb: tuple[str, ...]) -> None:
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    data = bench.path("a.sems").read_bytes()
    bench.path("a.sems").write_bytes(data[: len(data) // 2])
    assert bench.run(verb[0], "a.sems", *verb[1:]).returncode == 4


@pytest.mark.parametrize("verb", READERS)
def test_what_does_not_exist_is_1(bench: Bench, verb: tuple[str, ...]) -> None:
    for name in ("gone.sems", "gone.sem"):
        status, complaint = bench.fails(verb[0], name, *verb[1:])
        assert (name, status, name in complaint) == (name, 1, True)


# Targets


@pytest.mark.parametrize("output", ["gone/x.sem", "gone/x.sems", "photos/red.png/x.sem"])
def test_a_target_in_no_folder_is_1(bench: Bench, output: str) -> None:
    status, complaint = bench.fails("encode", "photos/red.png", "-o", output, *TOY)
    assert status == 1
    assert output.split("/x")[0] in complaint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_stdout_is_1(bench: Bench) -> None:
    for args in (("encode", "photos", *TOY), ("encode", "photos", "-o", "-", *TOY), ("selftest",)):
        with Path("/dev/full").open("wb") as full:
            done = bench.spawn(*args, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 1
        assert done.stderr == b"sememe: cannot write the output: No space left on device\n"


def test_a_closed_stdout_is_no_error(bench: Bench) -> None:
    script = f"exec '{sys.executable}' -m sememe encode photos --profile toy.profile >&-"
    done = subprocess.run(["bash", "-c", script], cwd=bench.folder, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_leaves_an_archive_that_goes_on(bench: Bench) -> None:
    bench.path("photos/0.png").write_bytes(picture("gray", (4000, 3000)))
    names = [f"photos/{i}.png" for i in range(1, 20)]
    for name in names:
        os.link(bench.path("photos/0.png"), bench.path(name))
    command = [sys.executable, "-m", "sememe", "encode", "photos", "-o", "a.sems", *TOY]
    with subprocess.Popen(
        command,
        cwd=bench.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=hear_interrupts,
    ) as process:
        while not bench.path("a.sems").exists():
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (130, b"")
    assert stderr.startswith(b"sememe: interrupted")
    assert stderr.count(b"\n") == 1
    assert bench.ok("verify", "a.sems") == "a.sems: ok\n"
    told = json.loads(bench.ok("encode", "photos", "-o", "a.sems", "--json", *TOY))
    assert told["new"] + told["unchanged"] == len(COLOURS) + 20
    assert told["new"] > 0  # it was stopped before the end


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_full_disk_leaves_the_archive_whole(bench: Bench, small_disk: Path) -> None:
    target = str(small_disk / "a.sems")
    bench.ok("encode", "photos", "-o", target, *TOY)
    before = bench.ok("export", target)
    fill(small_disk)
    bench.path("photos/new.png").write_bytes(picture("orange"))
    status, complaint = bench.fails("encode", "photos", "-o", target, *TOY)
    assert (status, "no space" in complaint.lower() or "full" in complaint.lower()) == (1, True)
    assert (bench.ok("verify", target), bench.ok("export", target)) == (f"{target}: ok\n", before)
    for output in ("b.sems", "x.sem"):
        status, complaint = bench.fails("encode", "photos/red.png", "-o", str(small_disk / output), *TOY)
        assert status == 1
        assert not (small_disk / output).exists()
    (small_disk / "filler").unlink()
    assert bench.ok("encode", "photos", "-o", target, *TOY).startswith(f"{target}: 1 new")


def test_a_read_only_target_is_1(bench: Bench, small_disk: Path) -> None:
    target = str(small_disk / "a.sems")
    bench.ok("encode", "photos", "-o", target, *TOY)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    bench.path("photos/new.png").write_bytes(picture("orange"))
    for output in ("a.sems", "b.sems", "x.sem"):
        status, complaint = bench.fails("encode", "photos/new.png", "-o", str(small_disk / output), *TOY)
        assert status == 1
        assert str(small_disk) in complaint
    assert (
        bench.ok("search", target, "red", "-t", "1", "-f") == "photos/red.png\n"
    )  # readers need no permission
    assert bench.ok("verify", target) == f"{target}: ok\n"
