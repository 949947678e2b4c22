"""The demo: real photographs, told as text, JSON and a page, with a backbone that needs no weights."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from sememe.cli.demo import photos, sizes
from sememe.errors import MissingExtraError, StorageError
from workbench import Bench, toy_profile

needs_photographs = pytest.mark.skipif(
    not all(photos.find_spec(package) for package, _ in photos.PHOTOS.values()),
    reason="needs the extra: pip install 'sememe[demo]'",
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    folder = tmp_path_factory.mktemp("demo")
    profile = toy_profile(folder / "toy.profile")
    return folder, json.loads(Bench(folder).run("demo", "--profile", str(profile), "--json", "-q").stdout)


@needs_photographs
def test_it_leaves_an_archive_photographs_and_a_page(ran: tuple[Path, dict[str, object]]) -> None:
    folder, told = ran
    assert sorted(path.stem for path in (folder / "demo-photos").iterdir()) == list(photos.PHOTOS)
    assert Bench(folder).ok("verify", "demo.sems") == "demo.sems: ok\n"
    page = (folder / "demo-report.html").read_text("utf-8")
    assert f"{len(photos.PHOTOS)} photographs, <em>{16 * len(photos.PHOTOS)} bytes</em>" in page
    assert set(told) == {"photos", "searches", "archive", "report", "seconds"}
    assert (told["archive"], told["report"]) == ("demo.sems", "demo-report.html")


@needs_photographs
def test_it_tells_each_photograph_from_its_bytes(ran: tuple[Path, dict[str, object]]) -> None:
    folder, told = ran
    rows = told["photos"]
    assert isinstance(rows, list)
    assert [row["name"] for row in rows] == list(photos.PHOTOS)
    lines = Bench(folder).ok("export", "demo.sems").splitlines()
    stored = {Path(one["path"]).stem: one["code"] for one in map(json.loads, lines)}
    for row in rows:
        assert row["code"] == stored[row["name"]]
        assert row["bpp"] == 8 * 16 / (row["width"] * row["height"])
        assert list(row["levels"]) == ["4", "8", "16"]
        assert all(len(level["labels"]) == 3 for level in row["levels"].values())
        assert row["levels"]["16"]["cosine"] > 0.8
        assert min(row["rivals"].values()) > 16 < min(row["thumbnails"].values())
    assert len(told["searches"]) == 3  # type: ignore[arg-type]


@needs_photographs
def test_as_text_it_is_four_tables(
    ran: tuple[Path, dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = ran
    toy_profile(folder / "toy.profile", seed=1)  # an archive of an earlier profile gives way
    for slow in ("smallest_files", "smallest_thumbnails"):
        monkeypatch.setattr(sizes, slow, lambda _: {"JPEG": 1234})
    done = Bench(folder).run("demo", "--profile", "toy.profile")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert all(text.count(f"\n  {name} ") >= 2 for name in photos.PHOTOS)
    assert text.count("searches over the codes") == 1
    assert "16 bytes" in text
    assert "4 bytes" in text
    assert "JPEG    1,234" in text
    assert "demo-report.html" in done.stderr.decode()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(photos, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'sememe\[demo\]'"):
        photos.copy_photos(tmp_path)


@needs_photographs
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="--folder"):
        photos.copy_photos(tmp_path / "file" / "demo-photos")


def test_sizes_are_those_of_real_files() -> None:
    image = Image.radial_gradient("L").convert("RGB")
    image.info["icc_profile"] = bytes(5000)  # no codec is charged for it
    whole, small = sizes.smallest_files(image), sizes.smallest_thumbnails(image)
    assert list(whole) == list(small)
    assert whole["JPEG"] < 5000
    assert all(small[codec] <= whole[codec] for codec in whole)
    with Image.open(io.BytesIO(sizes.thumbnail_jpeg(image, side=64))) as shown:
        assert shown.size == (64, 64)
