"""`sememe bench` and `sememe plot`, end to end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import coders
from sememe.evaluate import NAMES, SCHEMA, registry
from workbench import TOY, Bench, hear_interrupts

QUICK = ("--bytes", "4,8", "-q")
CLASSES = ("red", "lime", "blue")


@pytest.fixture
def work(bench: Bench) -> Bench:
    """The toy profile and pictures, and beside them vectors."""
    prepare(bench)
    return bench


def prepare(bench: Bench) -> None:
    """Write 120 vectors of three classes, their labels, texts, and the vectors of another set."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120)
    middles = 2 * rng.normal(size=(3, 32))
    x = (middles[labels] + rng.normal(size=(120, 32)) + 0.5).astype(np.float32)
    np.save(bench.path("x.npy"), x)
    bench.path("y.txt").write_text("\n".join(CLASSES[label] for label in labels) + "\n")
    text = np.concatenate([middles + 0.5, rng.normal(size=(12, 32))]).astype(np.float32)
    np.savez(bench.path("t.npz"), x=text, names=np.array([*CLASSES, *(f"w{i}" for i in range(12))]))
    np.savez(bench.path("set.npz"), x=x[:, ::-1], y=labels, names=np.array(CLASSES))


def paint(folder: Path, each: int = 24) -> None:
    """Folders of noisy pictures, one for each colour."""
    rng = np.random.default_rng(1)
    for colour in CLASSES:
        (folder / colour).mkdir(parents=True)
        for i in range(each):
            pixels = np.asarray(Image.new("RGB", (8, 8), colour), np.int16) + rng.integers(-90, 90, (8, 8, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / colour / f"{i}.png")


def report(work: Bench, name: str = "r.json") -> dict:
    data: dict = json.loads(work.path(name).read_text())
    return data


def test_vectors_labels_and_texts_make_a_report_and_a_table(work: Bench) -> None:
    told = work.ok("bench", "x.npy", "--labels", "y.txt", "--text", "t.npz", *QUICK, "-o", "r.json")
    assert told.startswith("x: 36 test vectors, 12 queries, 72 to learn from; trial ")
    assert "| 4 | **sememe, fixed bytes** |" in told
    assert "| 128 | uncompressed |" in told
    assert "zero-shot" in told
    data = report(work)
    assert data["schema"] == SCHEMA
    (trial,) = data["trials"]
    assert trial["counts"]["zero_shot_classes"] == 3
    assert [row["rate"] for row in trial["rows"]] == [4, 8]
    assert trial["rows"][0]["figures"]["all"]["bytes_max"] == 4
    assert (
        json.loads(work.ok("bench", "x.npy", "--labels", "y.txt", "--text", "t.npz", *QUICK, "--json"))[
            "trials"
        ][0]["digest"]
        == trial["digest"]
    )


def test_the_same_command_again_measures_nothing(work: Bench) -> None:
    command = ("bench", "x.npy", "--bytes", "4,8", "-o", "r.json", "--table", "none")
    first = work.run(*command)
    assert b"sememe: training on 72 vectors" in first.stderr
    before = work.path("r.json").read_text()
    again = work.run(*command)
    assert (again.returncode, again.stdout, again.stderr) == (0, b"", b"")
    assert json.loads(work.path("r.json").read_text())["trials"] == json.loads(before)["trials"]
    once_more = work.run(*command, "--again")
    assert b"training" in once_more.stderr
    wider = work.run("bench", "x.npy", "--bytes", "16", "-o", "r.json", "--table", "none", "-q")
    assert (wider.returncode, wider.stdout) == (0, b"")
    assert [row["rate"] for row in report(work)["trials"][0]["rows"]] == [4, 8, 16]


def test_several_sets_and_training_elsewhere(work: Bench) -> None:
    work.ok("bench", "x.npy", "set.npz", *QUICK, "-o", "r.json", "--table", "none")
    work.ok("bench", "x.npy", "--train", "set.npz", *QUICK, "-o", "r.json", "--table", "none")
    work.ok(
        "bench", "x.npy", "--train-text", "t.npz", "--seed", "3", *QUICK, "-o", "r.json", "--table", "none"
    )
    both, elsewhere, seeded = report(work)["trials"]
    assert both["sets"] == ["x", "set"]
    assert set(both["rows"][0]["figures"]["sets"]) == {"x", "set"}
    assert (elsewhere["counts"]["train"], elsewhere["counts"]["test"]) == (120, 36)
    assert (seeded["counts"]["train_text"], seeded["seeds"]) == (15, [3])


def test_test_vectors_that_were_trained_on_are_counted(work: Bench) -> None:
    done = work.run("bench", "x.npy", "--train", "x.npy", "--bytes", "4", "--table", "none")
    assert done.returncode == 0
    assert b"36 of 36 test vectors are among the training vectors, too" in done.stderr


def test_a_folder_of_pictures_and_one_that_is_none(work: Bench) -> None:
    paint(work.path("zoo"))
    work.path("zoo/red/broken.png").write_bytes(b"no picture")
    done = work.run("bench", "zoo", *QUICK, *TOY, "-o", "r.json")
    assert done.returncode == 3
    assert done.stderr.decode().startswith("sememe: zoo/red/broken.png: ")
    assert done.stderr.count(b"\n") == 1
    assert b"bits/pixel" in done.stdout
    (trial,) = report(work)["trials"]
    assert (trial["name"], trial["counts"]["test"], trial["counts"]["zero_shot_classes"]) == ("zoo", 21, 3)
    figures = trial["rows"][0]["figures"]["all"]
    assert figures["bpp"] == pytest.approx(8 * 4 / 64)
    assert figures["zero_shot"] is not None
    assert trial["uncompressed"]["all"]["class_mean"] > 0.9


def test_pictures_with_texts_of_ones_own(work: Bench) -> None:
    paint(work.path("zoo"))
    work.ok("bench", "zoo", "--text", "t.npz", *QUICK, *TOY, "-o", "r.json", "--table", "none")
    assert report(work)["trials"][0]["counts"]["texts"] == 15


def test_a_coder_that_fails_is_listed_and_the_others_run(
    work: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sememe.evaluate.coders.absent", coders)
    monkeypatch.setattr(coders.Tiny, "train", lambda *_: 1 / 0)
    monkeypatch.setitem(registry._MADE, "absent", ("absent", "Tiny"))
    done = work.run("bench", "x.npy", "--coders", "absent,sememe", *QUICK)
    assert done.returncode == 3
    assert done.stderr == b"sememe: tiny: ZeroDivisionError: division by zero\n"
    assert b"sememe, fixed bytes" in done.stdout
    alone = work.run("bench", "x.npy", "--coders", "absent", *QUICK)
    assert alone.returncode == 1


def test_coders_are_listed_without_an_input(work: Bench) -> None:
    lines = work.ok("bench", "--list").splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    rows = [json.loads(line) for line in work.ok("bench", "--list", "--json").splitlines()]
    assert rows[0] == {
        "coder": "sememe",
        "title": "sememe, fixed bytes",
        "length": "fixed",
        "source": "this project",
    }
    assert {row["length"] for row in rows} <= {"fixed", "mean"}


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        ((), 2, "give vectors"),
        (("gone.npy",), 1, "gone.npy: cannot be read"),
        (("gone.txt",), 1, "gone.txt: no such file"),
        (("y.txt",), 1, "y.txt: neither .npy, .npz nor a folder"),
        (("few.npy",), 1, "few: 30 vectors are too few; bring at least 60"),
        (("nan.npy",), 1, "nan.npy: vector 5 is all zero or holds a value not finite"),
        (("x.npy", "narrow.npy"), 1, "narrow: has vectors of 31 dimensions, x of 32"),
        (("x.npy", "x.npy"), 2, "two sets are called 'x'"),
        (("x.npy", "--train", "narrow.npy"), 1, "narrow"),
        (("x.npy", "--labels", "few.txt"), 1, "few.txt: holds labels <U1 (2,) for 120 vectors"),
        (("set.npz", "--labels", "y.txt"), 2, "--labels belong to one .npy"),
        (("x.npy", "set.npz", "--labels", "y.txt"), 2, "--labels belong to one .npy"),
        (("x.npy", "--text", "x.npy"), 1, "x.npy: texts come as a .npz"),
        (("x.npy", *TOY), 2, "--profile embeds pictures"),
        (("photos", "--profile", "gone"), 2, "gone"),
        (("photos", *TOY), 1, "photos: 6 vectors are too few"),
        (("empty", *TOY), 1, "empty: no picture is there"),
        (("x.npy", "--coders", "sememe,gzip"), 2, "no coder is called 'gzip'"),
        (("x.npy", "--bytes", "4,none"), 2, "'4,none' is no list of bytes"),
        (("x.npy", "--bytes", "0"), 2, "no list of bytes"),
        (("x.npy", "--seed", "-1"), 2, "is no seed"),
        (("x.npy", "-o", "y.txt"), 1, "y.txt: not JSON"),
        (("x.npy", "-o", "other.json"), 1, "other.json: its schema is None"),
        (("x.npy", "-o", "gone/r.json"), 1, "gone/r.json: No such file"),
    ],
)
def test_bad_input_has_one_line_and_a_status(
    work: Bench, args: tuple[str, ...], status: int, says: str
) -> None:
    x = np.load(work.path("x.npy"))
    np.save(work.path("few.npy"), x[:30])
    np.save(work.path("narrow.npy"), x[:, 1:])
    x[5, 3] = np.nan
    np.save(work.path("nan.npy"), x)
    work.path("few.txt").write_text("a\nb\n")
    work.path("other.json").write_text("{}")
    work.path("empty").mkdir()
    code, complaint = work.fails("bench", *args, "-q")
    assert code == status
    assert says in complaint
    assert not work.path("r.json").exists()


def test_an_interrupted_bench_goes_on_where_it_was(work: Bench) -> None:
    rates = ",".join(str(rate) for rate in range(1, 121))
    command = [sys.executable, "-m", "sememe", "bench", "x.npy", "--bytes", rates, "-q", "-o", "r.json"]
    process = subprocess.Popen(
        command, cwd=work.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=hear_interrupts
    )
    deadline = time.monotonic() + 60
    while not (work.path("r.json").exists() and report(work)["trials"][0]["rows"]):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said.startswith(b"sememe: interrupted")
    assert said.count(b"\n") == 1
    kept = report(work)["trials"][0]["rows"]
    assert 1 <= len(kept) < 120
    longer = ",".join(str(rate) for rate in range(1, len(kept) + 2))
    work.ok("bench", "x.npy", "--bytes", longer, "-q", "-o", "r.json", "--table", "none")
    after = report(work)["trials"][0]["rows"]
    assert after[: len(kept)] == kept
    assert len(after) == len(kept) + 1
    assert sorted(path.name for path in work.folder.glob(".*.tmp")) == []


def test_speed_is_that_of_one_thread(work: Bench) -> None:
    """The command asks for one thread before numpy is loaded, unless the user has said otherwise."""
    script = (
        "import os, sys; from sememe.cli import main; assert 'numpy' not in sys.modules; "
        "main(['bench', '--list', '-q']); print(os.environ['OMP_NUM_THREADS'], file=sys.stderr)"
    )
    for given, seen in ((None, "1"), ("2", "2")):
        environment = {"PATH": "/usr/bin:/bin"} | ({"OMP_NUM_THREADS": given} if given else {})
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.stderr.strip() == seen


# plot


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Two reports of one trial, and one of another."""
    work = Bench(tmp_path_factory.mktemp("reports"))
    prepare(work)
    command = ("bench", "x.npy", "--labels", "y.txt", "--table", "none", "-q")
    work.ok(*command, "--bytes", "4", "-o", "a.json")
    work.ok(*command, "--bytes", "8", "-o", "b.json")
    work.ok("bench", "set.npz", "--table", "none", "-q", "--bytes", "4", "-o", "c.json")
    return {name: work.path(name).read_bytes() for name in ("a.json", "b.json", "c.json", "y.txt")}


@pytest.fixture
def measured(tmp_path: Path, reports: dict[str, bytes]) -> Bench:
    for name, data in reports.items():
        (tmp_path / name).write_bytes(data)
    return Bench(tmp_path)


def test_plots_and_pages_are_written(measured: Bench) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra [eval]")
    told = measured.ok("plot", "a.json", "b.json", "-o", "p.svg")
    assert told == "p.svg: centred_cosine\n"
    assert measured.path("p.svg").read_text().count("sememe, fixed bytes") == 1
    assert measured.ok("plot", "a.json", "-o", "p.png", "--metric", "class_mean") == "p.png: class_mean\n"
    assert measured.path("p.png").read_bytes().startswith(b"\x89PNG")
    told = measured.ok("plot", "a.json", "c.json", "-o", "p.html", "--max-bytes", "16")
    assert told.startswith("p.html: centred_cosine, recall_at_10, ")
    page = measured.path("p.html").read_text()
    assert page.count("<h2>") == 3
    assert "http-equiv" in page
    fields = json.loads(measured.ok("plot", "a.json", "b.json", "-o", "p.svg", "--set", "x", "--json"))
    assert fields == {
        "output": "p.svg",
        "trials": ["x"],
        "metrics": ["centred_cosine"],
        "set": "x",
        "coders": ["sememe"],
    }


def test_tables_need_no_matplotlib(measured: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    told = measured.ok("plot", "a.json", "b.json", "--table")
    assert "| 4 | **sememe, fixed bytes** |" in told
    assert "| 8 | **sememe, fixed bytes** |" in told
    assert "<table>" in measured.ok("plot", "a.json", "--table", "html")
    for name in ("p.svg", "p.html"):
        status, complaint = measured.fails("plot", "a.json", "-o", name)
        assert (status, "sememe[eval]" in complaint) == (2, True)
        assert not measured.path(name).exists()


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (("a.json",), 2, "name what to write with -o"),
        (("a.json", "-o", "p.gif"), 2, "p.gif: name a picture"),
        (("gone.json", "-o", "p.svg"), 1, "gone.json: cannot be read"),
        (("y.txt", "-o", "p.svg"), 1, "y.txt: not JSON"),
        (("a.json", "c.json", "-o", "p.svg"), 2, "it holds 'x', 'set'"),
        (("a.json", "--trial", "y", "-o", "p.svg"), 2, "it holds 'x'"),
        (("a.json", "-o", "p.svg", "--metric", "psnr"), 2, "has no figure 'psnr'"),
        (("a.json", "-o", "p.html", "--metric", "psnr"), 2, "no figure is called 'psnr'"),
        (("a.json", "-o", "p.svg", "--set", "y"), 2, "no set is called 'y'"),
        (("a.json", "-o", "p.svg", "--max-bytes", "2"), 2, "nothing to plot"),
        (("a.json", "-o", "p.svg", "--max-bytes", "0"), 2, "'0' is not a positive number"),
        (("a.json", "-o", "gone/p.svg"), 1, "gone/p.svg"),
        (("empty.json", "--table"), 2, "empty.json: holds no trial"),
    ],
)
def test_bad_plots_have_one_line_and_a_status(
    measured: Bench, args: tuple[str, ...], status: int, says: str
) -> None:
    if "gone/p.svg" in args:
        pytest.importorskip("matplotlib", reason="needs the extra [eval]")
    measured.path("empty.json").write_text(json.dumps({"schema": SCHEMA, "machine": {}, "trials": []}))
    code, complaint = measured.fails("plot", *args)
    assert code == status
    assert says in complaint
