"""`sememe generate`, end to end; the generator is a painter, or a real pipeline at tiny size."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from painters import Painter
from sememe import generate, read_sem
from sememe.bitstream import Tag
from tiny_pipelines import make_unclip
from workbench import TOY, Bench


@pytest.fixture
def painter(monkeypatch: pytest.MonkeyPatch) -> Painter:
    """The generator that every name stands for."""
    made = Painter()
    monkeypatch.setattr(generate, "load", lambda name, **options: made)
    return made


@pytest.fixture
def ready(bench: Bench) -> Bench:
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    bench.ok("encode", "photos", "-o", "photos.sems", *TOY)
    return bench


P = ("--generator", "painter", "--profile", "toy.profile")


def test_one_picture_with_words_below_and_marks_inside(ready: Bench, painter: Painter) -> None:
    said = ready.ok("generate", "red.sem", "-o", "out.png", "--seed", "5", "--steps", "3", *P)
    assert said == "out.png  red.sem  generated from 16 bytes, profile toy, seed 5\n"
    (mark,) = generate.read_marks(ready.path("out.png"))
    assert (mark.nbytes, mark.profile, mark.generator, mark.seed, mark.steps) == (16, "toy", "painter", 5, 3)
    with Image.open(ready.path("out.png")) as image:
        assert image.width == 256
        assert image.height > 256
    assert mark.fidelity is None, "the file does not say it"
    assert 0.5 < painter.calls[0]["fidelity"] <= 1  # type: ignore[operator]


def test_the_caption_can_be_left_out_and_the_marks_cannot(ready: Bench, painter: Painter) -> None:
    for name in ("bare.png", "bare.jpg", "bare.webp"):
        ready.ok("generate", "red.sem", "-o", name, "--no-caption", *P)
        with Image.open(ready.path(name)) as image:
            assert image.size == (64, 64)
        assert (
            generate.read_marks(ready.path(name))[0].sentence
            == "generated from 16 bytes, profile toy, seed 0"
        )


def test_several_pictures_go_onto_a_sheet(ready: Bench, painter: Painter) -> None:
    rows = lines(ready.ok("generate", "red.sem", "-o", "sheet.png", "--n", "4", "--json", *P))
    assert [row["seed"] for row in rows] == [0, 1, 2, 3]
    assert {row["output"] for row in rows} == {"sheet.png"}
    assert [mark.seed for mark in generate.read_marks(ready.path("sheet.png"))] == [0, 1, 2, 3]
    ready.ok("generate", "photos.sems", "red.sem", "-o", "bare.png", "--n", "2", "--no-caption", *P)
    with Image.open(ready.path("bare.png")) as image:
        assert image.size == (2 * 70 + 6, 7 * 70 + 6), "a row of two for each of seven"


def test_a_folder_gets_a_file_for_each(ready: Bench, painter: Painter) -> None:
    rows = lines(ready.ok("generate", "photos.sems", "red.sem", "-o", "new/drawn/", "--n", "2", "--json", *P))
    assert len(rows) == 14
    assert {"new/drawn/red-0.png", "new/drawn/red-1.png", "new/drawn/red-2-0.png"} <= {
        row["output"] for row in rows
    }
    assert all(len(generate.read_marks(ready.path(str(row["output"])))) == 1 for row in rows)


def test_a_row_of_an_archive_a_picture_and_its_code_give_the_same(ready: Bench, painter: Painter) -> None:
    outputs = []
    for name, args in {
        "a.png": ("photos.sems", "--row", "photos/red.png"),
        "b.png": ("red.sem",),
        "c.png": ("photos/red.png",),
    }.items():
        ready.ok("generate", *args, "-o", name, "--no-caption", *P)
        with Image.open(ready.path(name)) as image:
            outputs.append(np.asarray(image).tobytes())
    assert len(set(outputs)) == 1
    told, guessed, measured = (call["fidelity"] for call in painter.calls)
    assert told == pytest.approx(measured, abs=0.01)
    assert guessed == pytest.approx(measured, abs=0.1)


def test_fewer_bytes_are_said_and_their_fidelity_is_not_known(ready: Bench, painter: Painter) -> None:
    for source in (("red.sem",), ("photos.sems", "--row", "photos/red.png")):
        (row,) = lines(ready.ok("generate", *source, "-o", "out.png", "--bytes", "4", "--json", *P))
        assert (row["nbytes"], row["fidelity"]) == (4, None)
    assert ready.fails("generate", "red.sem", "-o", "o.png", "--bytes", "99", *P)[0] == 2


def test_colours_go_to_generators_that_take_them(ready: Bench, painter: Painter) -> None:
    ready.ok("encode", "photos/red.png", "-o", "hued.sem", "--colours", *TOY)
    for painter.takes_colours in (True, False):
        ready.ok("generate", "hued.sem", "-o", "out.png", *P)
    layout = read_sem(ready.path("hued.sem")).get(Tag.COLOURS)
    assert layout
    assert [call["colours"] for call in painter.calls] == [layout, None]


def test_the_best_of_some_says_how_near_it_is(ready: Bench, painter: Painter) -> None:
    (row,) = lines(ready.ok("generate", "red.sem", "-o", "out.png", "--best-of", "5", "--json", *P))
    assert 0 <= row["seed"] < 5  # type: ignore[operator]
    assert -1 <= row["cosine"] <= 1  # type: ignore[operator]


def test_a_picture_goes_through_a_pipe(ready: Bench, painter: Painter) -> None:
    done = ready.run("generate", "-", "-o", "-", *P, stdin=ready.path("red.sem").read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert generate.read_marks(done.stdout)[0].profile == "toy"
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert image.format == "PNG"


def test_info_reads_the_mark(ready: Bench, painter: Painter) -> None:
    ready.ok("generate", "red.sem", "-o", "out.png", "--n", "2", *P)
    rows = lines(ready.ok("info", "out.png", "--json"))
    assert [(row["kind"], row["seed"]) for row in rows] == [("generated", 0), ("generated", 1)]
    assert "generated from 16 bytes, profile toy, seed 1" in ready.ok("info", "out.png")
    assert ready.fails("info", "photos/red.png")[0] == 4


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (("red.sem", "-o", "out.gif"), 2, ".png, .jpg"),
        (("red.sem", "-o", "none/out.png"), 1, "no such folder"),
        (("none.sem", "-o", "out.png"), 1, "none.sem"),
        (("red.sem", "--row", "x", "-o", "out.png"), 2, "--row"),
        (("photos.sems", "--row", "x", "-o", "out.png"), 1, "holds no 'x'"),
        (("photos.sems", "-o", "out.png", "--n", "20"), 2, "too many for one sheet"),
        (("red.sem", "-o", "out.png", "--seed", "-1"), 2, "--seed"),
        (("red.sem", "-o", "red.sem/"), 1, "red.sem"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    ready: Bench, painter: Painter, args: tuple[str, ...], status: int, says: str
) -> None:
    code, line = ready.fails("generate", *args, *P)
    assert (code, says in line) == (status, True), line
    assert not ready.path("out.png").exists()


def test_inputs_that_fail_do_not_stop_the_rest(ready: Bench, painter: Painter) -> None:
    ready.path("broken.png").write_bytes(b"no picture")
    done = ready.run("generate", "broken.png", "red.sem", "-o", "out.png", *P)
    assert done.returncode == 3
    assert b"broken.png" in done.stderr
    assert len(generate.read_marks(ready.path("out.png"))) == 1


def test_a_full_disk_leaves_nothing_behind(
    ready: Bench, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    status, line = ready.fails("generate", "red.sem", "-o", "out.png", *P)
    assert (status, line) == (1, "out.png: no space left; free some and rerun")
    assert not list(ready.folder.glob("*out.png*"))


def test_another_space_says_what_would_fit(ready: Bench, painter: Painter) -> None:
    painter.space_id = "elsewhere"
    status, line = ready.fails("generate", "red.sem", "-o", "out.png", *P)
    assert (status, "toy/32" in line, "elsewhere" in line) == (4, True, True)


def test_a_known_generator_of_another_space_is_refused_before_it_is_loaded(ready: Bench) -> None:
    status, line = ready.fails("generate", "red.sem", "-o", "out.png", "--generator", "unclip-h", *TOY)
    assert (status, "CLIP-ViT-H-14" in line, "toy/32" in line) == (4, True, True)


def test_without_a_generator_for_the_space_the_known_ones_are_named(ready: Bench) -> None:
    status, line = ready.fails("generate", "red.sem", "-o", "out.png", *TOY)
    assert (status, "toy/32" in line, "--generator" in line) == (2, True, True)


def test_a_real_pipeline_from_bytes_to_picture(
    ready: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("diffusers", reason="needs the extra [gen]")
    folder = make_unclip(tmp_path_factory.mktemp("pipelines") / "unclip")
    options = (
        "--generator",
        str(folder),
        "--device",
        "cpu",
        "--steps",
        "2",
        "--profile",
        "toy.profile",
        "--json",
    )
    status, line = ready.fails("generate", "red.sem", "-o", "out.png", *options)
    assert (status, "--space" in line) == (2, True)
    rows = lines(ready.ok("generate", "red.sem", "-o", "out.png", "--n", "2", "--space", "toy/32", *options))
    assert [(row["generator"], row["seed"], row["width"]) for row in rows] == [
        ("unclip", 0, 16),
        ("unclip", 1, 16),
    ]
    assert len(generate.read_marks(ready.path("out.png"))) == 2


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]
