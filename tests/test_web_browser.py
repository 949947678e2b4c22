"""The page in a real browser: Debian's Chromium, without a head."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sememe import encode_paths
from toys import COLOURS, picture, plain, toy_codec

pytest.importorskip("fastapi", reason="needs the extra [web]")
sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: apt install chromium, or set CHROMIUM"
)

HOSTILE = "<img src=x onerror=alert(1)>.png"
WIDE, NARROW = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page")
    (root / "photos").mkdir()
    for colour in COLOURS:
        plain(colour).save(root / "photos" / f"{colour}.png")
    for row in range(59):
        picture(row).save(root / "photos" / f"mixed {row}.png")
    picture(59).save(root / "photos" / HOSTILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        encode_paths(["photos"], root / "photos.sems", toy_codec(16))
    return root


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """Where `sememe serve` says that it is."""
    command = [sys.executable, "-m", "sememe", "serve", "photos.sems", "--port", "0", "-q"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip().rstrip("/")
        server.terminate()
        assert server.wait(20) in (0, -15, 130), server.stderr and server.stderr.read()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        sync_api.expect.set_options(timeout=60_000)  # a busy machine is slow, not wrong
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    """A page that must not complain, nor ask anybody but the server."""
    context = browser.new_context(viewport=WIDE)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request",
        lambda request: (
            None if request.url.startswith((url, "blob:", "data:")) else complaints.append(request.url)
        ),
    )
    opened.set_default_timeout(60_000)
    yield opened
    context.close()
    assert complaints == []


def names(page: Any) -> list[str]:
    return [name.strip() for name in page.locator("#results .path").all_inner_texts()]


def first(page: Any, name: str) -> None:
    sync_api.expect(page.locator("#results .path").first).to_have_text(name)


def test_typing_searches_and_the_url_remembers(page: Any, url: str) -> None:
    page.goto(url)
    sync_api.expect(page.locator("h1")).to_contain_text("68 images in 1.1 kB")
    sync_api.expect(page.locator("#results .tile")).not_to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("red")
    first(page, "red.png")
    sync_api.expect(page.locator("#results .edge")).to_have_text(re.compile("probably not matches"))
    assert page.url == f"{url}/?q=red"
    page.reload()
    first(page, "red.png")
    assert page.input_value("#q") == "red"


def test_back_goes_back(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=red")
    first(page, "red.png")
    page.fill("#q", "blue")
    page.keyboard.press("Enter")
    first(page, "blue.png")
    page.locator("#results .tile").first.click()
    sync_api.expect(page.locator("#title")).to_have_text("blue.png")
    page.go_back()
    first(page, "blue.png")


def test_the_slider_scores_the_same_query_on_fewer_bytes(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=green")
    first(page, "green.png")
    page.locator("#rate").focus()
    page.keyboard.press("Home")
    sync_api.expect(page.locator("#kept")).to_have_text("1 byte")
    sync_api.expect(page.locator("#size")).to_have_text("68 bytes")
    sync_api.expect(page.locator("#agree")).to_have_text(
        re.compile(r"^\d+ of the best 20 are those of the full code")
    )
    assert "bytes=1" in page.url


def test_terms_are_chips_that_can_be_taken_out(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=red+-+blue")
    page.goto(f"{url}/?q=red%20-%20blue")
    sync_api.expect(page.locator("#chips button")).to_have_text(["+ red", "− blue"])
    page.locator("#chips .minus").click()
    assert page.input_value("#q") == "red"
    first(page, "red.png")


def test_a_picture_that_is_dropped_or_chosen_is_searched_for(page: Any, url: str, folder: Path) -> None:
    page.goto(url)
    page.set_input_files("#file", folder / "photos" / "purple.png")
    first(page, "purple.png")
    assert "code%3A" in page.url
    data = (folder / "photos" / "orange.png").read_bytes().hex()
    page.evaluate(
        """hex => {
            const bytes = new Uint8Array(hex.match(/../g).map((pair) => parseInt(pair, 16)));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "orange.png", { type: "image/png" }));
            dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        data,
    )
    first(page, "orange.png")


def test_the_keyboard_walks_the_results(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=red")
    first(page, "red.png")
    page.locator("#q").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.querySelector('.path').textContent")
    assert focused == names(page)[1]
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#title")).to_have_text(focused)


def test_scrolling_brings_more(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=red")
    first(page, "red.png")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    sync_api.expect(page.locator("#results .tile")).to_have_count(68)


def test_a_tall_window_is_filled_without_scrolling(page: Any, url: str) -> None:
    page.set_viewport_size({"width": 1200, "height": 4000})
    page.goto(url)
    sync_api.expect(page.locator("#results .tile")).to_have_count(68)


def test_the_inspector_shows_what_survives(page: Any, url: str) -> None:
    page.goto(f"{url}/?q=yellow")
    first(page, "yellow.png")
    page.locator("#results .tile").first.click()
    sync_api.expect(page.locator("#code i")).to_have_count(16)
    sync_api.expect(page.locator("#picture img")).to_be_visible()
    page.locator("#rate").focus()
    page.keyboard.press("Home")
    sync_api.expect(page.locator("#code i.cut")).to_have_count(15)
    sync_api.expect(page.locator("#curve circle.ours, #curve .here")).to_have_count(5)
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.path().stat().st_size == 13  # a byte of code, eight of file, four of profile
    page.locator("#alike").click()
    first(page, "yellow.png")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_code_grows_before_the_eyes(page: Any, url: str, folder: Path, motion: str) -> None:
    page.emulate_media(reduced_motion=motion)
    page.goto(f"{url}/encode")
    page.set_input_files("#file", folder / "photos" / "red.png")
    sync_api.expect(page.locator("#kept")).to_have_text("16 bytes")
    sync_api.expect(page.locator("#labels")).to_contain_text("tomato")
    page.locator("#alike").click()
    first(page, "red.png")


def test_the_map_opens_an_image(page: Any, url: str) -> None:
    page.goto(f"{url}/map")
    sync_api.expect(page.locator("#under")).to_have_text("68 images")
    page.locator("#map").focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#title")).to_have_text(re.compile(r"\.png$"))


def test_a_file_name_is_text_whatever_it_says(page: Any, url: str) -> None:
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(url)
    sync_api.expect(page.locator("#results .tile").first).to_be_visible()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    sync_api.expect(page.locator("#results .tile")).to_have_count(68)
    assert HOSTILE in names(page)
    page.locator("#results .tile", has_text=HOSTILE).click()
    sync_api.expect(page.locator("#title")).to_have_text(HOSTILE)
    assert page.locator("img[onerror]").count() == 0
    page.locator("#alike").click()
    first(page, HOSTILE)


def test_the_inspector_holds_a_code_against_thumbnails(page: Any, url: str) -> None:
    page.goto(f"{url}/image/3")
    sync_api.expect(page.locator("#curve-title")).to_contain_text("thumbnails")
    legend = ["this code", "WebP thumbnail", "JPEG thumbnail"]
    sync_api.expect(page.locator(".legend li")).to_have_text(legend)
    sync_api.expect(page.locator("#drawn")).to_be_hidden()  # nothing draws from toy vectors


def test_no_original_no_picture_but_a_card(page: Any, url: str, folder: Path) -> None:
    hidden = folder / "photos" / "white.png"
    kept = hidden.read_bytes()
    hidden.unlink()
    try:
        page.route(
            "**/api/picture/**", lambda route: route.fulfill(status=200, body="", content_type="image/jpeg")
        )
        page.goto(f"{url}/?q=white")
        sync_api.expect(page.locator("#results .frame span").first).to_have_text("white.png")
        sync_api.expect(page.locator("#results .frame .card").first).to_have_text(re.compile(r"\w"))
    finally:
        hidden.write_bytes(kept)


@pytest.mark.parametrize(
    "path", ["/", "/?q=red&bytes=4", "/?q=nothing%20-%20like%20this", "/image/3", "/encode", "/map"]
)
def test_every_page_is_accessible_and_fits_a_phone(page: Any, url: str, path: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        page.goto(url + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
        violations = axe.Axe().run(page).response["violations"]
        assert violations == [], [(v["id"], [node["html"] for node in v["nodes"]]) for v in violations]
