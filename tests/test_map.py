from __future__ import annotations

import io
import json
import os
import re
import shutil
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sememe import encode_paths, errors, index
from sememe.api.mapping import Cluster, Map, make_map
from sememe.archive import Archive
from sememe.metrics import unit_rows
from sememe.report import maps
from toys import plain, toy_codec
from workbench import TOY, Bench

SVG = "{http://www.w3.org/2000/svg}"


def groups(n: int, each: int, noise: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(1)
    x = np.repeat(np.eye(32)[:n], each, axis=0) + noise * rng.standard_normal((n * each, 32))
    return unit_rows(x.astype(np.float32))


# places and clusters


def test_what_is_alike_lies_together() -> None:
    places = index.lay_out(groups(4, 30)).reshape(4, 30, 2)
    assert places.min() >= 0
    assert places.max() <= 1
    within = np.linalg.norm(places - places.mean(axis=1, keepdims=True), axis=2).mean()
    between = np.linalg.norm(places.mean(axis=1) - places.mean(axis=(0, 1)), axis=1).mean()
    assert within < between / 2


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
def test_few_pictures_have_places_too(n: int) -> None:
    x = groups(1, n) if n else np.zeros((0, 32), np.float32)
    assert index.lay_out(x).shape == (n, 2)
    assert np.isfinite(index.lay_out(x)).all()
    assert sorted(set(index.gather(x, 3).tolist())) == list(range(min(n, 3)))


def test_clusters_are_those_that_there_are_the_largest_first() -> None:
    x = np.concatenate([groups(3, 20), groups(3, 20)[:20]])
    labels = index.gather(x, 3)
    assert np.bincount(labels).tolist() == [40, 20, 20]
    assert len(set(labels[:20]) | set(labels[60:])) == 1
    np.testing.assert_array_equal(labels, index.gather(x, 3))


def test_equal_pictures_are_one_cluster() -> None:
    assert index.gather(np.repeat(groups(1, 1), 50, axis=0), 5).tolist() == [0] * 50


# the map of an archive


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures near red and near blue, and an archive of them under relative paths."""
    root = tmp_path_factory.mktemp("map")
    (root / "photos").mkdir()
    for colour in ("red", "blue"):
        for row in range(12):
            pixels = np.asarray(plain(colour)).astype(int) + 3 * row * np.array([-1, 1, -1])
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(
                root / f"photos/{colour} {row}.png"
            )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        encode_paths(["photos"], root / "a.sems", toy_codec(16))
    return root


@pytest.fixture(scope="module")
def found(folder: Path) -> Map:
    return make_map(toy_codec(16), folder / "a.sems", labels="red,blue", clusters=2)


def test_clusters_are_called_what_they_show(found: Map) -> None:
    assert [(one.name, one.count) for one in found.clusters] in (
        [("red", 12), ("blue", 12)],
        [("blue", 12), ("red", 12)],
    )
    for point in found.points:
        assert point.item.path.startswith(f"photos/{found.clusters[point.cluster].name} ")
        assert point.word in point.item.path


def test_a_cluster_without_a_common_word_is_none(folder: Path) -> None:
    words = ",".join(f"thing {n}" for n in range(30))
    unnamed = make_map(toy_codec(16), folder / "a.sems", labels=words, clusters=1).clusters[0]
    assert unnamed.name is None or unnamed.share >= 0.25
    from sememe.api import mapping

    places = np.zeros((8, 2))
    scattered = mapping._cluster(["a", "b", "c", "d", "e", None, None, None], places, np.ones(8, bool))
    assert scattered == Cluster(None, 0.125, 8, 0.0, 0.0)
    named = mapping._cluster(["a", "a", "c", "d", "e", None, None, None], places, np.ones(8, bool))
    assert named.name == "a"
    once = mapping._cluster(["a", None, None, None], places[:4], np.ones(4, bool))
    assert (once.name, once.share) == (None, 0.25)  # one picture makes no name
    assert mapping._cluster(["a"], places[:1], np.ones(1, bool)).name == "a"  # but its own


def test_a_large_archive_is_sampled_evenly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sememe.api import mapping

    monkeypatch.setattr(mapping, "POINTS", 10)
    some = make_map(toy_codec(16), folder / "a.sems", labels="red,blue")
    assert (some.images, len(some.points)) == (24, 10)
    ids = np.array([point.item.id for point in some.points])
    assert np.ptp(np.diff(ids)) <= 1
    assert len(make_map(toy_codec(16), folder / "a.sems", labels="red,blue", everything=True).points) == 24


def test_an_empty_archive_has_no_map(tmp_path: Path) -> None:
    from sememe.api import identity

    Archive.create(tmp_path / "e.sems", identity.for_archive(toy_codec().profile), 16).close()
    with pytest.raises(errors.InputError, match="holds no codes"):
        make_map(toy_codec(16), tmp_path / "e.sems")


# drawings


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(file, "JPEG")
    return file.getvalue()


def test_the_svg_is_a_document_with_every_picture(found: Map) -> None:
    root = ET.fromstring(maps.svg(found, {}))
    assert len(root.findall(f"{SVG}circle")) == 24
    told = {title.text for title in root.iter(f"{SVG}title")}
    assert told == {f"{point.item.path}: {point.word}" for point in found.points}
    assert {text.text for text in root.findall(f"{SVG}text")} == {"red", "blue"}


def test_thumbnails_never_hide_each_other(found: Map) -> None:
    names = [point.item.path for point in found.points]
    fields = maps.chosen(found, names)
    assert len(set(fields.values())) == len(fields)
    root = ET.fromstring(maps.svg(found, dict.fromkeys(names, jpeg())))
    images = root.findall(f".//{SVG}image")
    assert len(images) + len(root.findall(f"{SVG}circle")) == 24
    corners = [(float(image.get("x", "")), float(image.get("y", ""))) for image in images]
    side = float(images[0].get("width", ""))
    for number, (x, y) in enumerate(corners):
        assert all(abs(x - u) >= side or abs(y - v) >= side for u, v in corners[:number])


def test_any_path_is_printable(found: Map) -> None:
    strange = "<b>\udcff\x01&\"'\u202e.png"
    point = found.points[0]
    renamed = type(point)(point.item._replace(path=strange), point.x, point.y, "<i>", 0)
    drawn = maps.svg(Map(1, (renamed,), (Cluster("<u>", 1, 1, 0.5, 0.5),)), {})
    drawn.encode("utf-8")
    titles = [title.text for title in ET.fromstring(drawn).iter(f"{SVG}title")]
    assert titles == ["<b>\ufffd\ufffd&\"'\ufffd.png: <i>"]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_runs_no_script_and_asks_nobody(found: Map) -> None:
    names = [point.item.path for point in found.points]
    tags = Tags()
    tags.feed(maps.page(found, dict.fromkeys(names, jpeg())))
    assert not [tag for tag, _ in tags.found if tag in ("script", "link", "iframe")]
    for tag, attributes in tags.found:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src"):
            assert (attributes.get(name) or "data:").startswith("data:"), tag
    policy = next(a["content"] for t, a in tags.found if t == "meta" and "http-equiv" in a)
    assert "default-src 'none'" in (policy or "")


@pytest.mark.skipif(not shutil.which("chromium") and "CHROMIUM" not in os.environ, reason="needs Chromium")
def test_choosing_a_cluster_dims_the_others(found: Map, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    (tmp_path / "map.html").write_text(maps.page(found, {}), "utf-8")
    complaints: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.goto((tmp_path / "map.html").as_uri())
        opacity = "element => getComputedStyle(element).opacity"
        before = page.locator("circle.c1").first.evaluate(opacity)
        page.locator("label").nth(1).click()
        shown = page.locator("circle.c0").first.evaluate(opacity)
        dimmed = page.locator("circle.c1").first.evaluate(opacity)
        browser.close()
    assert (before, shown, complaints) == ("1", "1", [])
    assert float(dimmed) < 0.1


# the command


@pytest.fixture
def archive(bench: Bench) -> Bench:
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    return bench


def test_the_command_writes_each_kind(archive: Bench) -> None:
    labels = ("--labels", "red,blue")
    row = json.loads(archive.ok("map", "a.sems", "-o", "m.html", "--thumbnails", "--json", *labels))
    assert (row["images"], row["points"], row["thumbnails"]) == (6, 6, 6)
    assert sum(cluster["count"] for cluster in row["clusters"]) == 6
    assert archive.path("m.html").read_text("utf-8").count("data:image/jpeg;base64,") == 6
    archive.ok("map", "a.sems", "-o", "m.svg", *labels)
    assert ET.fromstring(archive.path("m.svg").read_text("utf-8")).tag == f"{SVG}svg"
    archive.ok("map", "a.sems", "-o", "m.json", *labels)
    data = json.loads(archive.path("m.json").read_text("utf-8"))
    assert len(data["points"]) == 6
    assert set(data["points"][0]) == {"path", "x", "y", "word", "cluster"}


def test_a_png_is_drawn_with_matplotlib(archive: Bench) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra [eval]")
    archive.ok("map", "a.sems", "-o", "m.png", "--thumbnails", "--labels", "red,blue")
    with Image.open(archive.path("m.png")) as image:
        assert image.size == (1600, 1600)


def test_originals_that_changed_are_dots(archive: Bench) -> None:
    Image.new("RGB", (64, 48), "green").save(archive.path("photos/red.png"))
    archive.path("photos/blue.png").unlink()
    done = archive.run("map", "a.sems", "-o", "m.svg", "--thumbnails", "--labels", "red,blue")
    assert "2 of 6 originals are not there or changed" in done.stderr.decode()
    drawn = archive.path("m.svg").read_text("utf-8")
    assert drawn.count("<circle") == 2
    assert re.findall(r"<circle.*?<title>([^:]+)", drawn) == ["photos/blue.png", "photos/red.png"]


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("none.sems", "-o", "m.svg"), 1),
        (("a.sems", "-o", "m.gif"), 2),
        (("a.sems",), 2),
        (("photos/red.png", "-o", "m.svg"), 4),
        (("a.sems", "-o", "no/such/m.svg", "--labels", "red"), 1),
    ],
)
def test_wrong_calls_end_with_one_line(archive: Bench, arguments: tuple[str, ...], status: int) -> None:
    assert archive.fails("map", *arguments)[0] == status
