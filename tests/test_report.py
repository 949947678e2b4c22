"""The report is pure, complete and self-contained; in a real browser it fits a phone and asks for nothing."""

from __future__ import annotations

import html
import io
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from sememe.report import Hit, Photo, Report, ScoredLabel, Search, render

LEVELS = (4, 8, 16)
HOSTILE = "<b>cat</b> & 'dog' \"x\""
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


def thumbnail(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (90, 60), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def photo(index: int, name: str) -> Photo:
    strengths = ("strong", "weak", "none")
    labels = tuple(ScoredLabel(f"{name} {s}", 0.9 / (rank + 1), s) for rank, s in enumerate(strengths))
    return Photo(
        name=name,
        width=640,
        height=400 + index,
        code=bytes((37 * index + 11 * j) % 256 for j in range(16)),
        thumbnail=thumbnail((40 * index % 256, 90, 160)),
        fidelity={4: 0.8123, 8: 0.8765, 16: 0.9356},
        labels=dict.fromkeys(LEVELS, labels),
        rivals={"JPEG": 2345, "WebP": 1200, "AVIF": 733},
        thumbnails={"JPEG": 712, "WebP": 69},
    )


@pytest.fixture(scope="module")
def report() -> Report:
    names = ["cat", HOSTILE, "averyveryverylongnamewithoutanyspaceatallthatmustnotwidenthepage", "日本の寺"]
    hits = tuple(Hit(i, 0.9 - 0.2 * i, s) for i, s in enumerate(("strong", "weak", "none", "none")))
    return Report(
        profile_id="nano",
        version="0.1.0",
        levels=LEVELS,
        photos=[photo(i, name) for i, name in enumerate(names)],
        searches=[Search(query, dict.fromkeys(LEVELS, hits)) for query in ("a cat", HOSTILE)],
        candidates=["cat", "dog", HOSTILE],
        notes=["Thumbnails are originals."],
    )


class Tags(HTMLParser):
    """Collects every tag with its attributes, and complains about a page whose tags do not nest."""

    VOID = frozenset({"meta", "img", "input", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def tags_of(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser.seen


def test_same_data_same_page(report: Report) -> None:
    assert render(report) == render(report)


def test_every_word_of_the_data_is_on_the_page_and_escaped(report: Report) -> None:
    page = render(report)
    assert HOSTILE not in page
    for photo in report.photos:
        assert html.escape(photo.name) in page
        assert photo.code.hex(" ") in page
    assert "4 photographs, <em>64 bytes</em>" in page
    assert "2,345" in page
    assert "0.936" in page  # the fidelity at 16 bytes, rounded


def test_the_page_nests_and_needs_nothing_from_elsewhere(report: Report) -> None:
    page = render(report)
    tags = tags_of(page)
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in tags}
    for tag, attributes in tags:
        for name in ("src", "href", "srcset", "action"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, attributes)
    assert "http:" not in page
    assert "https:" not in page
    assert all(url.startswith("data:image/jpeg;base64,") for url in re.findall(r"url\((.{23})", page))
    assert "@import" not in page


def test_pictures_have_alternatives_and_controls_have_labels(report: Report) -> None:
    tags = tags_of(render(report))
    assert all(attributes.get("alt") for tag, attributes in tags if tag == "img")
    inputs = {attributes["id"] for tag, attributes in tags if tag == "input"}
    labelled = {attributes["for"] for tag, attributes in tags if tag == "label"}
    assert inputs == labelled == {f"level-{n}" for n in LEVELS}


def test_the_longest_code_is_chosen_at_first(report: Report) -> None:
    checked = [a["id"] for tag, a in tags_of(render(report)) if tag == "input" and "checked" in a]
    assert checked == ["level-16"]


def test_search_results_without_strength_come_after_a_line(report: Report) -> None:
    page = render(report)
    assert page.count("probably no match from here on") == len(report.searches) * len(LEVELS)


def test_a_report_without_searches_rivals_notes_or_words_is_whole() -> None:
    bare = Photo(
        "cat", 10, 10, bytes(16), thumbnail((1, 2, 3)), dict.fromkeys(LEVELS, 0.9), dict.fromkeys(LEVELS, ())
    )
    page = render(Report("nano", "0.1.0", LEVELS, [bare]))
    tags_of(page)
    assert "1 photograph, <em>16 bytes</em>" in page
    assert "Beside picture codecs" not in page
    assert "Searches over the codes" not in page


# In a real browser. The report is put into a frame of a phone's width whose parent page measures it.

PROBE = """<!doctype html><meta charset="utf-8"><body><pre id="found">nothing</pre>
<iframe id="page" width="390" height="844" style="border:0" srcdoc="{srcdoc}"></iframe>
<script>
const luminance = c => {{
  const [r, g, b] = c.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}};
const rgba = text => text.match(/[\\d.]+/g).map(Number);
const background = node => {{
  for (; node; node = node.parentElement) {{
    const c = rgba(getComputedStyle(node).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c.slice(0, 3);
  }}
  return [255, 255, 255];
}};
const contrast = node => {{
  const a = luminance(rgba(getComputedStyle(node).color).slice(0, 3)), b = luminance(background(node));
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}};
const visible = doc => [...doc.querySelectorAll("body *")].filter(n => n.getClientRects().length &&
  [...n.childNodes].some(t => t.nodeType === 3 && t.data.trim()));
addEventListener("load", () => setTimeout(() => {{
  const frame = document.getElementById("page"), doc = frame.contentDocument;
  const levels = [...doc.querySelectorAll("input[name=level]")].map(input => {{
    input.click();
    return [input.id, ...new Set([...doc.querySelectorAll(".at")].filter(n => n.getClientRects().length)
      .map(n => n.className))];
  }});
  const dimmed = doc.querySelectorAll(".code")[0].children;
  doc.getElementById("level-4").click();
  document.getElementById("found").textContent = JSON.stringify({{
    overflow: doc.documentElement.scrollWidth - doc.documentElement.clientWidth,
    broken: [...doc.images].filter(i => !i.naturalWidth).length,
    images: doc.images.length,
    requests: frame.contentWindow.performance.getEntriesByType("resource").map(e => e.name)
      .filter(name => !name.startsWith("data:")),
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    worst: Math.min(...visible(doc).map(contrast)),
    texts: visible(doc).length,
    levels,
    names: [...doc.querySelectorAll("input")].map(i => i.labels[0].textContent.trim()),
  }});
}}, 300));
</script>"""


def browse(tmp_path: Path, page: str, *flags: str) -> dict[str, object]:
    """Open the page in headless Chromium, inside a frame 390 pixels wide, and return what the probe found."""
    probe = tmp_path / "probe.html"
    probe.write_text(PROBE.format(srcdoc=html.escape(page)), encoding="utf-8")
    command = [
        CHROMIUM or "",
        "--headless",
        "--disable-gpu",
        "--disable-background-networking",
        "--virtual-time-budget=5000",
        f"--user-data-dir={tmp_path / 'profile'}",
        *(("--no-sandbox",) if os.geteuid() == 0 else ()),
        *flags,
        "--dump-dom",
        probe.as_uri(),
    ]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom[:500]
    result: dict[str, object] = json.loads(html.unescape(found[1]))
    return result


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt install chromium")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_in_a_browser(report: Report, tmp_path: Path, dark: bool) -> None:
    found = browse(tmp_path, render(report), f"--blink-settings=preferredColorScheme={0 if dark else 1}")
    assert found["dark"] is dark
    assert found["overflow"] == 0  # no horizontal scroll on a phone
    assert found["images"] == len(report.photos)
    assert found["broken"] == 0
    assert found["requests"] == []
    assert found["worst"] >= 4.5  # WCAG AA for text
    assert found["texts"] > 50
    assert found["levels"] == [[f"level-{n}", f"at at-{n}"] for n in LEVELS]
    assert found["names"] == [f"{n} bytes" for n in LEVELS]
