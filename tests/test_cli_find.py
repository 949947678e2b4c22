"""`encode --regions` and `find`, end to end."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workbench import TOY, Bench


@pytest.fixture
def found(bench: Bench) -> Bench:
    """A folder with a picture that is red at the left and blue at the right, and its record."""
    image = Image.new("RGB", (300, 100), "white")
    image.paste("red", (0, 0, 90, 100))
    image.paste("blue", (210, 0, 300, 100))
    image.save(bench.path("two.png"))
    told = bench.ok("encode", "two.png", "--bytes", "8", "--regions", "4", "-o", "two.sem", *TOY)
    assert "4 regions in" in told
    return bench


def looked(bench: Bench, *args: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in bench.ok("find", *args, *TOY, "--json").splitlines()]


def test_phrases_have_boxes(found: Bench) -> None:
    red, blue = looked(found, "two.sem", "red", "blue")
    assert (red["text"], blue["text"]) == ("red", "blue")
    assert red["matches"][0]["box"][2] < 0.45  # type: ignore[index]
    assert blue["matches"][0]["box"][0] > 0.55  # type: ignore[index]
    lines = found.ok("find", "two.sem", "red", "blue", "-t", "2", *TOY).splitlines()
    assert len(lines) >= 3
    assert lines[0].split()[0] in ("strong", "weak")
    assert lines[0].endswith("  red")


def test_a_picture_or_a_pipe_can_be_looked_into(found: Bench) -> None:
    assert looked(found, "two.png", "red")[0]["matches"][0]["box"][2] < 0.45  # type: ignore[index]
    data = found.path("two.sem").read_bytes()
    assert found.ok("find", "-", "red", *TOY, stdin=data) == found.ok("find", "two.sem", "red", *TOY)


def test_the_budget_is_that_of_the_file(found: Bench) -> None:
    plain = json.loads(found.ok("encode", "two.png", "--bytes", "8", "--json", *TOY))
    for count, budget in ((1, 12), (6, 96), (9, 200)):
        told = found.ok(
            *("encode", "two.png", "--bytes", "8", "--regions", str(count), "--region-bytes", str(budget)),
            *("-o", "some.sem", "--json", *TOY),
        )
        fields = json.loads(told)
        size = found.path("some.sem").stat().st_size
        assert fields["file_bytes"] == size <= 8 + 12 + budget
        assert fields["code"] == plain["code"]
        assert 1 <= len(fields["regions"]) <= count


def test_boxes_from_a_file(found: Bench) -> None:
    found.path("sam.json").write_text(json.dumps([{"bbox": [210, 0, 90, 100]}]))
    found.ok("encode", "two.png", "--boxes", "sam.json", "-o", "boxes.sem", *TOY)
    assert looked(found, "boxes.sem", "blue")[0]["matches"][0]["box"] == [0.698, 0.0, 1.0, 1.0]  # type: ignore[index]
    np.save(found.path("mask.npy"), np.zeros((1, 5, 5), np.bool_))
    assert found.fails("encode", "two.png", "--boxes", "mask.npy", "-o", "x.sem", *TOY)[0] == 1


def test_drawing_on_the_picture_and_on_a_blank(found: Bench) -> None:
    found.ok("find", "two.sem", "red", "blue", "--draw", "two.png", "-o", "out.png", *TOY)
    found.ok("find", "two.sem", "red", "-o", "blank.png", *TOY)
    with Image.open(found.path("out.png")) as drawn, Image.open(found.path("blank.png")) as blank:
        assert drawn.size == (300, 100)
        colours = {colour for _, colour in drawn.getcolors(1 << 16) or []}
        assert {(230, 159, 0), (86, 180, 233)} <= colours  # a frame for each phrase
        assert blank.width == 640
        assert abs(blank.height - 640 / 3) < 4
    data = found.run("find", "two.sem", "red", "-o", "-", *TOY).stdout
    assert Image.open(io.BytesIO(data)).format == "PNG"


def test_streams_of_records(found: Bench) -> None:
    done = found.run("encode", "two.png", "photos/red.png", "--regions", "2", "-o", "-", *TOY)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(found.ok("info", "-", stdin=done.stdout).splitlines()) == 2
    code, line = found.fails("find", "-", "red", *TOY, stdin=done.stdout)
    assert (code, "one at a time" in line) == (2, True)


def test_a_bad_picture_is_named(found: Bench) -> None:
    found.path("bad.png").write_bytes(b"no picture")
    code, line = found.fails("encode", "bad.png", "--regions", "2", "-o", "bad.sem", *TOY)
    assert (code, "bad.png" in line) == (1, True)
    assert not found.path("bad.sem").exists()


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (("find", "plain.sem", "red"), 1, "no regions"),
        (("find", "missing.sem", "red"), 1, "missing.sem"),
        (("find", "photos", "red"), 1, "photos"),
        (("find", "two.sem", "red", "--draw", "two.png"), 2, "-o"),
        (("find", "two.sem", "red", "-o", "out.jpg"), 2, ".png"),
        (("find", "two.sem", "red", "--draw", "missing.png", "-o", "out.png"), 1, "missing.png"),
        (("find", "two.sem", "red", "-o", "no/folder/out.png"), 1, "out.png"),
        (("find", "a.sems", "red"), 2, "one code an image"),
        (("find", "two.sem", ""), 2, "empty"),
        (("find", "cut.sem", "red"), 4, "cut.sem"),
        (("encode", "two.png", "--regions", "2"), 2, ".sem"),
        (("encode", "two.png", "--regions", "2", "-o", "b.sems"), 2, ".sem"),
        (("encode", "two.png", "--regions", "0", "-o", "b.sem"), 2, "positive"),
        (("encode", "two.png", "--regions", "2", "--region-bytes", "5", "-o", "b.sem"), 2, "bytes"),
        (("encode", "two.png", "--regions", "2", "--min-cosine", ".9", "-o", "b.sem"), 2, "--region-bytes"),
        (("encode", "photos", "--regions", "2", "-o", "b.sem"), 2, "one image"),
        (("encode", "photos", "--boxes", "sam.json", "-o", "-"), 2, "boxes of one image"),
    ],
)
def test_each_mistake_has_one_line(found: Bench, args: tuple[str, ...], status: int, says: str) -> None:
    found.path("cut.sem").write_bytes(found.path("two.sem").read_bytes()[:-3])
    if "plain.sem" in args:
        found.ok("encode", "two.png", "-o", "plain.sem", *TOY)
    if "a.sems" in args:
        found.ok("encode", "photos", "-o", "a.sems", *TOY)
    code, line = found.fails(*args, *TOY)
    assert (code, says in line) == (status, True), line


def test_in_a_process_of_its_own(found: Bench) -> None:
    done = found.spawn("find", "two.sem", "red", *TOY, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.split()[0] in (b"strong", b"weak")


def test_files_are_whole_or_not_there(found: Bench) -> None:
    before = sorted(Path(found.folder).iterdir())
    found.fails("find", "two.sem", "red", "--draw", "missing.png", "-o", "out.png", *TOY)
    assert sorted(Path(found.folder).iterdir()) == before
