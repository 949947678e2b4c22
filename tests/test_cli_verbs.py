"""Every verb end to end, with a backbone that needs no weights."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from sememe import bitstream
from sememe.archive import Archive
from workbench import COLOURS, TOY, Bench, picture, toy_profile


@pytest.fixture
def archive(bench: Bench) -> str:
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    return "a.sems"


def lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


# encode


def test_encode_prints_codes_of_the_length_asked_for(bench: Bench) -> None:
    rows = lines(bench.ok("encode", "photos", "--bytes", "8", "--json", *TOY))
    assert [row["path"] for row in rows] == [f"photos/{c}.png" for c in sorted(COLOURS)]
    for row in rows:
        assert list(row) == ["path", "profile", "nbytes", "code", "cosine", "width", "height"]
        assert (row["nbytes"], len(str(row["code"])), row["width"], row["height"]) == (8, 16, 64, 48)
        assert 0 < float(str(row["cosine"])) <= 1
    text = bench.ok("encode", "photos/red.png", *TOY).split()
    assert len(text[0]) == 32  # 16 bytes in hex
    assert text[2] == "photos/red.png"


def test_a_shorter_code_is_the_front_of_a_longer_one(bench: Bench) -> None:
    long, short = (bench.ok("encode", "photos/red.png", "--bytes", n, *TOY).split()[0] for n in ("32", "5"))
    assert long.startswith(short)


def test_encode_to_a_file_costs_the_code_and_its_frame(bench: Bench) -> None:
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    data = bench.path("red.sem").read_bytes()
    record = bitstream.parse(data)
    assert (len(record.payload), len(data)) == (16, 16 + 8 + 4)  # 4 bytes of fingerprint: a custom profile
    assert record.payload.hex() == bench.ok("encode", "photos/red.png", *TOY).split()[0]


def test_encode_reads_stdin_and_writes_stdout(bench: Bench) -> None:
    done = bench.run("encode", "-", *TOY, stdin=picture("red"))
    assert (done.returncode, done.stderr) == (0, b"")
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    assert done.stdout == bench.path("red.sem").read_bytes()
    many = bench.run("encode", "photos", "-o", "-", *TOY).stdout
    assert len(list(bitstream.parse_stream(many))) == len(COLOURS)


def test_min_cosine_spends_the_fewest_bytes(bench: Bench) -> None:
    row = lines(bench.ok("encode", "photos/white.png", "--min-cosine", "0.99", "--json", *TOY))[0]
    assert float(str(row["cosine"])) >= 0.99
    fewer = str(int(str(row["nbytes"])) - 1)
    worse = lines(bench.ok("encode", "photos/white.png", "--bytes", fewer, "--json", *TOY))[0]
    assert float(str(worse["cosine"])) < 0.99


def test_mean_bytes_holds_over_all_inputs(bench: Bench) -> None:
    rows = lines(bench.ok("encode", "photos", "--mean-bytes", "9", "--json", *TOY))
    spent = [int(str(row["nbytes"])) for row in rows]
    assert len(spent) == len(COLOURS)
    assert 1 <= sum(spent) / len(spent) <= 9
    for wrong in ("0.5", "256", "nine"):
        assert bench.run("encode", "photos", "--mean-bytes", wrong, *TOY).returncode == 2
    assert bench.run("encode", "photos", "--mean-bytes", "9", "-o", "m.sems", *TOY).returncode == 0


def test_a_cosine_out_of_reach_is_said(bench: Bench) -> None:
    done = bench.run("encode", "photos/red.png", "--min-cosine", "0.9999999", "--json", *TOY)
    assert done.returncode == 0
    assert json.loads(done.stdout)["nbytes"] == 128
    assert b"photos/red.png: the longest code keeps a cosine of" in done.stderr


def test_a_second_run_takes_only_what_is_new_changed_or_failed(bench: Bench) -> None:
    bench.path("photos/broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    first = bench.run("encode", "photos", "-o", "a.sems", "--json", *TOY)
    assert first.returncode == 3
    counts = json.loads(first.stdout)
    assert (counts["new"], counts["changed"], counts["unchanged"], len(counts["failed"])) == (6, 0, 0, 1)
    bench.path("photos/broken.jpg").write_bytes(picture("cyan"))
    bench.path("photos/red.png").write_bytes(picture("pink", (80, 80)))
    bench.path("photos/new.png").write_bytes(picture("orange"))
    counts = json.loads(bench.ok("encode", "photos", "-o", "a.sems", "--json", *TOY))
    assert (counts["new"], counts["changed"], counts["unchanged"], counts["failed"]) == (2, 1, 5, [])


def test_a_second_run_keeps_the_profile_and_length_of_the_archive(bench: Bench) -> None:
    bench.ok("encode", "photos/red.png", "-o", "a.sems", "--bytes", "6", *TOY)
    told = json.loads(bench.ok("encode", "photos", "-o", "a.sems", "--json"))
    assert (told["profile"], told["nbytes"], told["new"]) == ("toy", 6, len(COLOURS) - 1)


def test_vectors_become_codes_and_codes_vectors(bench: Bench) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 32)).astype(np.float32)
    np.save(bench.path("x.npy"), x)
    told = json.loads(bench.ok("encode", "x.npy", "-o", "codes.npy", "--bytes", "24", "--json", *TOY))
    assert told == {"output": "codes.npy", "codes": 50, "nbytes": 24, "profile": "toy"}
    codes = np.load(bench.path("codes.npy"))
    assert (codes.shape, codes.dtype) == ((50, 24), np.uint8)
    told = json.loads(bench.ok("decode", "codes.npy", "-o", "y.npy", "--json", *TOY))
    assert told == {"output": "y.npy", "vectors": 50, "dim": 32, "profile": "toy"}
    y = np.load(bench.path("y.npy"))
    assert (y.shape, y.dtype) == ((50, 32), np.float32)
    np.testing.assert_allclose(np.linalg.norm(y, axis=1), 1, atol=1e-5)
    cosines = (x * y).sum(axis=1) / np.linalg.norm(x, axis=1)
    assert cosines.mean() > 0.8


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("photos", "-o", "x.sem"), "x.sem holds one image"),
        (("photos/red.png", "-o", "x.txt"), "name a .sem file, a .sems archive"),
        (("photos", "-o", "x.sems", "--min-cosine", "0.9"), "takes no --min-cosine"),
        (("photos/red.png", "--bytes", "0"), "'0' is not a number of bytes"),
        (("photos/red.png", "--bytes", "200"), "makes codes of 1 to"),
        (("photos/red.png", "--min-cosine", "1.5"), "is not a cosine"),
        (("photos/red.png", "-o", "x.npy"), "give one .npy file"),
    ],
)
def test_encode_refuses_what_makes_no_sense(bench: Bench, args: tuple[str, ...], says: str) -> None:
    status, complaint = bench.fails("encode", *args, *TOY)
    assert status == 2
    assert says in complaint
    assert not list(bench.folder.glob("x.*"))


# decode, info, truncate, verify, merge, export


def test_decode_an_archive_to_stdout(bench: Bench, archive: str) -> None:
    done = bench.run("decode", archive, "-o", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    assert np.load(io.BytesIO(done.stdout)).shape == (len(COLOURS), 32)


def test_info_tells_every_kind_apart_whatever_its_name(bench: Bench, archive: str) -> None:
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    bench.path("archive.bin").write_bytes(bench.path(archive).read_bytes())
    bench.path("file.bin").write_bytes(bench.path("red.sem").read_bytes() * 2)
    rows = lines(bench.ok("info", "archive.bin", "file.bin", "toy.profile", "--json"))
    assert [row["kind"] for row in rows] == ["archive", "sem", "sem", "profile"]
    assert rows[0]["images"] == len(COLOURS)
    assert rows[0]["code_bytes"] == 16 * len(COLOURS)
    assert rows[1] == rows[2]
    assert rows[1]["profile"] == "custom"
    assert str(rows[3]["fingerprint"]).startswith(str(rows[1]["fingerprint"]))
    assert (rows[3]["dim"], rows[3]["space"]) == (32, "toy/32")
    assert bench.ok("info", "-", stdin=bench.path("red.sem").read_bytes()).startswith("-  custom  16 B")


def test_info_reads_a_packet(bench: Bench) -> None:
    row = lines(bench.ok("info", "--packet", "-", "--json", stdin=b"\x05abc"))[0]
    assert (row["kind"], row["profile"], row["nbytes"], row["file_bytes"]) == ("packet", "nano", 3, 4)


def test_info_goes_on_after_a_damaged_file_and_ends_with_4(bench: Bench, archive: str) -> None:
    bench.path("torn.sem").write_bytes(b"\xb5SM\x10")
    done = bench.run("info", "torn.sem", "photos/red.png", archive)
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 2
    assert b"archive" in done.stdout


def test_truncate_keeps_the_front(bench: Bench, archive: str) -> None:
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    bench.ok("truncate", "red.sem", "--bytes", "5", "-o", "short.sem")
    long, short = (bitstream.parse(bench.path(name).read_bytes()) for name in ("red.sem", "short.sem"))
    assert short.payload == long.payload[:5]
    told = json.loads(bench.ok("truncate", archive, "--bytes", "4", "-o", "small.sems", "--json"))
    assert told == {"output": "small.sems", "nbytes": 4}
    with Archive.open(bench.path("small.sems")) as small, Archive.open(bench.path(archive)) as large:
        np.testing.assert_array_equal(small.codes()[1], large.codes()[1][:, :4])
    status, complaint = bench.fails("truncate", "short.sem", "--bytes", "6", "-o", "x.sem")
    assert (status, "5 bytes cannot be cut to 6" in complaint) == (2, True)


def test_verify_accepts_what_is_whole_and_names_what_is_not(bench: Bench, archive: str) -> None:
    assert bench.ok("verify", archive) == f"{archive}: ok\n"
    data = bytearray(bench.path(archive).read_bytes())
    with Archive.open(bench.path(archive)) as opened:
        where = data.find(opened.codes()[1].tobytes()[:16])
    assert where > 0
    data[where] ^= 1
    bench.path("flipped.sems").write_bytes(data)
    done = bench.run("verify", archive, "flipped.sems", "--json")
    assert done.returncode == 4
    sound, damaged = lines(done.stdout.decode())
    assert (sound["ok"], damaged["ok"]) == (True, False)
    assert damaged["problems"]


def test_merge_joins_and_refuses_another_profile(
    bench: Bench, archive: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bench.path("photos/new.png").write_bytes(picture("orange"))
    bench.ok("encode", "photos/new.png", "-o", "b.sems", *TOY)
    told = json.loads(bench.ok("merge", archive, "b.sems", "-o", "both.sems", "--json"))
    assert (told["images"], told["nbytes"]) == (len(COLOURS) + 1, 16)
    other = toy_profile(tmp_path_factory.mktemp("other") / "other.profile", seed=1)
    bench.ok("encode", "photos/new.png", "-o", "c.sems", "--profile", str(other))
    before = bench.ok("export", "both.sems")
    status, complaint = bench.fails("merge", "c.sems", "-o", "both.sems")
    assert status == 4
    assert "made with profile" in complaint
    assert bench.ok("export", "both.sems") == before


def test_export_in_every_format(bench: Bench, archive: str) -> None:
    rows = lines(bench.ok("export", archive))
    assert [row["path"] for row in rows] == [f"photos/{c}.png" for c in sorted(COLOURS)]
    told = json.loads(bench.ok("export", archive, "-o", "codes.npy", "--json"))
    assert told == {"output": "codes.npy", "format": "npy", "images": len(COLOURS)}
    codes = np.load(bench.path("codes.npy"))
    assert [bytes(code).hex() for code in codes] == [row["code"] for row in rows]
    vectors = lines(bench.ok("export", archive, "--vectors"))
    assert len(vectors[0]["vector"]) == 32  # type: ignore[arg-type]
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra: pip install 'sememe[parquet]'")
    bench.ok("export", archive, "-o", "a.parquet")
    table = parquet.read_table(bench.path("a.parquet"))
    assert table.column("path").to_pylist() == [row["path"] for row in rows]
    status, complaint = bench.fails("export", archive, "-o", "a.xlsx")
    assert (status, "xlsx" in complaint) == (2, True)


# classify, search, explain


def test_classify_knows_colours(bench: Bench, archive: str) -> None:
    rows = lines(bench.ok("classify", archive, "--labels", "red,lime,blue", "--template", "{}", "--json"))
    best = {str(row["path"]): row["labels"][0]["label"] for row in rows}  # type: ignore[index]
    assert [best[f"photos/{colour}.png"] for colour in ("red", "lime", "blue")] == ["red", "lime", "blue"]
    assert list(rows[0]) == ["path", "nbytes", "none", "labels"]


def test_classify_takes_images_files_and_archives_alike(bench: Bench, archive: str) -> None:
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    options = ("--labels", "red,blue", "--template", "{}", "--top", "1", "--json", *TOY)
    rows = lines(bench.ok("classify", "photos/red.png", "red.sem", *options))
    assert [row["labels"] for row in rows] == [rows[0]["labels"]] * 2
    short = lines(bench.ok("classify", archive, "--bytes", "4", *options))
    assert [row["nbytes"] for row in short] == [4] * len(COLOURS)


def test_labels_come_from_a_file_too(bench: Bench, archive: str) -> None:
    bench.path("labels.txt").write_text("red\n\nblue\n")
    said = bench.ok("classify", archive, "--labels", "labels.txt")
    assert said == bench.ok("classify", archive, "--labels", "red,blue")


def test_search_by_words_picture_and_code(bench: Bench, archive: str) -> None:
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    for query in ("red", "photos/red.png", "red.sem"):
        assert bench.ok("search", archive, query, "-t", "1", "-f") == "photos/red.png\n"
    assert bench.ok("search", archive, "red", "+", "lime", "-t", "1", "-f") == "photos/yellow.png\n"
    rows = lines(bench.ok("search", archive, "red", "--json"))
    assert [row["rank"] for row in rows] == list(range(1, len(COLOURS) + 1))
    strong = lines(bench.ok("search", archive, "red", "--json", "--min", "weak"))
    assert strong == [row for row in rows if row["strength"] != "none"]


def test_search_complains_about_a_query_without_sense(bench: Bench, archive: str) -> None:
    status, complaint = bench.fails("search", archive, "red", "+")
    assert (status, "ends with '+'" in complaint) == (2, True)


def test_explain_shows_more_cosine_for_more_bytes(bench: Bench) -> None:
    told = json.loads(bench.ok("explain", "photos/red.png", "--labels", "red,blue", "--json", *TOY))
    assert [rate["nbytes"] for rate in told["rates"]] == [4, 8, 16, 32]
    assert told["rates"][-1]["cosine"] > told["rates"][0]["cosine"]
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    told = json.loads(
        bench.ok("explain", "red.sem", "--against", "photos/blue.png", "--at", "2,16", "--json", *TOY)
    )
    assert [rate["nbytes"] for rate in told["rates"]] == [2, 16]
    assert told["rates"][1]["cosine"] < 0.9  # it is another picture
    assert told["rates"][1]["cosine_to_full"] == pytest.approx(1, abs=1e-5)
    assert "cosine to the original" in bench.ok("explain", "photos/red.png", *TOY)


# fit, models, selftest


def test_fit_from_vectors_and_from_images(bench: Bench) -> None:
    rng = np.random.default_rng(0)
    np.save(bench.path("x.npy"), rng.standard_normal((200, 48)).astype(np.float32))
    told = json.loads(bench.ok("fit", "x.npy", "--space", "mine", "-o", "mine.profile", "--json", "-q"))
    assert (told["space"], told["dim"]) == ("mine", 48)
    assert told["fingerprint"] in bench.ok("info", "mine.profile", "--json")
    for i in range(40):
        colour = "#" + rng.bytes(3).hex()
        bench.path(f"photos/{i}.png").write_bytes(picture(colour))
    told = json.loads(
        bench.ok("fit", "photos", *TOY, "--name", "colours", "-o", "own.profile", "--json", "-q")
    )
    assert (told["profile"], told["space"], told["dim"]) == ("colours", "toy/32", 32)
    bench.ok("encode", "photos/red.png", "--profile", "own.profile")
    status, complaint = bench.fails("fit", "x.npy", "-o", "y.profile")
    assert (status, "--space" in complaint) == (2, True)


def test_models_lists_what_is_here(bench: Bench) -> None:
    rows = lines(bench.ok("models", "list", "--json"))
    assert [list(row) for row in rows] == [["id", "kind", "available", "path"]] * len(rows)
    assert ("nano", "backbone") in {(row["id"], row["kind"]) for row in rows}
    for row in rows:
        assert row["path"] is None or Path(str(row["path"])).exists()
    assert bench.fails("models", "path", "clip-vit-l14")[0] == 5
    assert bench.fails("models", "path", "nonsense")[0] == 2
    path = bench.ok("models", "path", "clip-vit-b32").strip()
    assert bench.ok("info", path).startswith(f"{path}  profile  clip-vit-b32")


def test_selftest_passes_here(bench: Bench) -> None:
    rows = lines(bench.ok("selftest", "--json"))
    assert rows
    assert all(row["ok"] for row in rows)


def test_codes_go_through_pipes(bench: Bench) -> None:
    bench.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    whole = bench.path("red.sem").read_bytes()
    short = bench.run("truncate", "-", "--bytes", "4", "-o", "-", stdin=whole * 2)
    assert (short.returncode, short.stderr) == (0, b"")
    bench.ok("truncate", "red.sem", "--bytes", "4", "-o", "short.sem")
    assert short.stdout == bench.path("short.sem").read_bytes() * 2
    vectors = np.load(io.BytesIO(bench.run("decode", "-", "-o", "-", *TOY, stdin=whole * 2).stdout))
    assert vectors.shape == (2, 32)
    options = ("--labels", "red,blue", "--template", "{}", *TOY)
    said = bench.ok("classify", "-", *options, stdin=whole)
    assert said.startswith("-  red strong")
    assert bench.ok("classify", "-", *options, stdin=picture("red")) == said
    told = bench.ok("explain", "-", *options, stdin=picture("red"))
    assert told.splitlines()[1].startswith("bytes  cosine to the original")
    assert bench.ok("info", "-", stdin=whole * 2).count("16 B code") == 2
    status, complaint = bench.fails("explain", "-", *options, stdin=whole * 2)
    assert (status, "holds 2 records" in complaint) == (2, True)


def test_in_a_process_of_its_own(bench: Bench) -> None:
    done = bench.spawn("encode", "photos/red.png", "-o", "red.sem", *TOY, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    with bench.path("photos/red.png").open("rb") as stdin:
        piped = bench.spawn("encode", "-", *TOY, stdin=stdin, capture_output=True)
    assert piped.stdout == bench.path("red.sem").read_bytes()
