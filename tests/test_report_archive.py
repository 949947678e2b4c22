"""`sememe report`: one page about an archive of any size, with or without its originals."""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sememe import encode_paths
from sememe.archive import NewItem
from sememe.errors import InputError, UsageError
from sememe.report import render
from sememe.web import summary
from sememe.web.summary import summarise
from toys import COLOURS, plain, toy_codec

HOSTILE = "<img src=x onerror=alert(1)>.png"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("report")
    (root / "photos").mkdir()
    for colour in COLOURS[:-1]:
        plain(colour).save(root / "photos" / f"{colour}.png")
    plain(COLOURS[-1]).save(root / "photos" / HOSTILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        encode_paths(["photos"], root / "photos.sems", toy_codec(16))
    return root


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    command = [sys.executable, "-m", "sememe", "report", "photos.sems", "-o", "report.html", "--json"]
    done = subprocess.run(
        [*command, "--query", "red"], cwd=folder, capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert (told["images"], told["cards"], told["pictures"], told["searches"]) == (8, 8, 8, ["red"])
    assert told["page_bytes"] == (folder / "report.html").stat().st_size
    return folder / "report.html"


def test_it_tells_what_the_archive_holds(page: Path, folder: Path) -> None:
    text = page.read_text("utf-8")
    assert "8 images, <em>128 bytes</em>" in text
    assert HOSTILE not in text
    assert html.escape(HOSTILE) in text
    assert text.count("<article") == 8
    assert text.count("<circle") == 8
    assert f"{(folder / 'photos.sems').stat().st_size:,}" in text
    originals = sum(path.stat().st_size for path in (folder / "photos").iterdir())
    assert f"{originals:,}" in text


def test_the_best_hit_of_a_colour_is_that_colour(folder: Path) -> None:
    told = summarise(folder / "photos.sems", root=folder, queries=["green"])
    assert told.levels == (4, 8, 16)
    for level in told.levels:
        assert told.photos[told.searches[0].hits[level][0].photo].name == "green.png"
    assert all(photo.fidelity[16] == pytest.approx(1) for photo in told.cards)


def test_without_originals_all_else_is_there(folder: Path) -> None:
    told = summarise(folder / "photos.sems", root=folder / "photos")
    assert not any(photo.thumbnail for photo in told.photos)
    text = render(told)
    assert "<img" not in text
    assert "8 of 8 pictures are not shown" in text
    assert text.count("<article") == 8


def test_a_large_archive_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "_SEARCHED", 100)
    monkeypatch.setattr(summary, "_MAPPED", 50)
    codes = np.random.default_rng(0).integers(0, 256, (400, 8), np.uint8)
    with toy_codec(8).open_archive(tmp_path / "many.sems") as archive:
        archive.put([NewItem(f"{row}.jpg") for row in range(400)], codes)
    told = summarise(tmp_path / "many.sems", queries=["blue", "red - green"], count=5)
    assert (told.total, len(told.cards), len(told.places)) == (400, 5, 50)
    assert len(told.photos) > 5  # what searches found has no card
    text = render(told)
    assert "400 images, <em>3,200 bytes</em>" in text
    assert "5 of 400" in text
    assert "Searches looked at 100 images" in text
    assert "pixels" not in text.partition("<main>")[2].partition("<footer>")[0].replace("not pixels", "")


def test_thumbnails_are_bounded_together(folder: Path) -> None:
    found = summary._Summary(summary.read(folder / "photos.sems"), summary.Pictures(folder), 1)
    told = found.report(["red"], 8)
    assert sum(photo.thumbnail is not None for photo in told.photos) == 1


def test_what_cannot_be_reported_on_is_said(tmp_path: Path, folder: Path) -> None:
    toy_codec(8).open_archive(tmp_path / "empty.sems").close()
    with pytest.raises(InputError, match="no images"):
        summarise(tmp_path / "empty.sems")
    with pytest.raises(UsageError):
        summarise(folder / "photos.sems", queries=["a + "])


# in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium: apt install chromium, or set CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_asks_for_nothing_fits_and_is_accessible(browser: Any, page: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    opened = browser.new_page(color_scheme=scheme)
    opened.set_default_timeout(60_000)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    opened.on("request", lambda request: complaints.append(request.url))
    for width in (1200, 390):
        opened.set_viewport_size({"width": width, "height": 900})
        opened.goto(page.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert opened.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
        asked = [one for one in complaints if one != page.as_uri() and not one.startswith("data:")]
        assert asked == []
        violations = axe.Axe().run(opened).response["violations"]
        assert violations == [], [(v["id"], [node["html"] for node in v["nodes"]]) for v in violations]
        opened.click("label[for=level-4]")
        assert opened.locator(".at-16 >> visible=true").count() == 0
    opened.close()
