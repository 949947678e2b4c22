"""The docs are checked: every command has a page, every example runs, every key and option is named.

Outputs shown in the docs are what the commands printed. They never rewrite themselves; after a change run
``GENERATE_DOCS=1 pytest tests/test_docs.py`` and read the difference.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sememe
from sememe.cli import parser
from sememe.errors import MissingExtraError

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = {verb.NAME: DOCS / f"{verb.NAME}.md" for verb in parser.VERBS}
PACKAGE = Path(sememe.__file__).parent
GENERATE = os.environ.get("GENERATE_DOCS") == "1"

CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KEY_ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)


@dataclass
class Example:
    """One command of a page, the exit code that the page promises, and the output that it shows."""

    command: str
    status: int
    shown: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, line: str) -> Example:
        command, _, promise = line.removeprefix("$ ").partition("  # exit ")
        return cls(command, int(promise or 0))

    def run(self, folder: Path) -> list[str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", self.command],
            cwd=folder,
            env=os.environ | {"PATH": path, "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == self.status, f"$ {self.command}\n{done.stdout}"
        assert "Traceback" not in done.stdout
        return done.stdout.replace(str(PACKAGE.parent), "/site-packages").splitlines()


def examples(block: str) -> Iterator[Example]:
    example = None
    for line in block.splitlines():
        if line.startswith("$ "):
            if example:
                yield example
            example = Example.parse(line)
        else:
            assert example, f"output without a command: {line}"
            example.shown.append(line)
    if example:
        yield example


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder that docs/README.md describes."""
    from sememe.cli.demo.photos import copy_photos

    folder = tmp_path_factory.mktemp("docs")
    try:
        sources = copy_photos(folder / "all")
    except MissingExtraError as error:
        pytest.skip(str(error))
    (folder / "photos").mkdir()
    for name in ("cat", "coffee", "flower", "rocket"):
        with Image.open(sources[name]) as image:
            image.save(folder / "photos" / f"{name}{sources[name].suffix}")
    shutil.rmtree(folder / "all")
    shutil.copy(folder / "photos/cat.png", folder / "cat.png")
    (folder / "broken.jpg").write_bytes((folder / "photos/rocket.jpg").read_bytes()[:2000])
    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 512)) * 0.9 ** np.arange(512) + 0.3
    np.save(folder / "vectors.npy", (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32))
    for command in ("sememe encode cat.png -q -o cat.sem", "sememe encode photos -q -o photos.sems"):
        Example(command, 0).run(folder)
    return folder


def test_every_command_has_a_page_and_a_line_in_the_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (.+) \|$", index, re.MULTILINE)
    assert [(name, name, verb.SUMMARY) for name, verb in zip(PAGES, parser.VERBS, strict=True)] == rows
    assert all(page.is_file() for page in PAGES.values())


@pytest.mark.parametrize("verb", PAGES)
def test_a_page_names_every_option_and_no_other(verb: str) -> None:
    actions = parser.build_parser()._subparsers._group_actions[0].choices[verb]._actions  # type: ignore[union-attr,index,call-overload]
    options = {name for action in actions for name in action.option_strings if name.startswith("--")}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", PAGES[verb].read_text("utf-8")))
    assert options - {"--help", "--json", "--quiet"} <= named
    assert named <= options | {"--json"}


@pytest.mark.parametrize("verb", PAGES)
def test_the_examples_of_a_page_run(verb: str, prepared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    shutil.copytree(prepared, folder)
    text = PAGES[verb].read_text("utf-8")
    assert CONSOLE.search(text), f"{PAGES[verb]} shows no example"
    text = CONSOLE.sub(lambda block: checked(block[1], folder, named_keys(text)), text)
    if GENERATE:
        PAGES[verb].write_text(text, "utf-8")


def checked(block: str, folder: Path, keys: set[str]) -> str:
    """Run the examples of a block and compare; return the block with what was printed."""
    lines = []
    for example in examples(block):
        printed = example.run(folder)
        if "--json" in example.command:
            check_keys(printed, keys)
        if not GENERATE:
            assert bool(printed) == bool(example.shown), f"$ {example.command}\n{printed}"
            assert len(printed) == len(example.shown), f"$ {example.command}\n{printed}"
        promise = f"  # exit {example.status}" if example.status else ""
        lines += [f"$ {example.command}{promise}", *printed]
    return "```console\n" + "\n".join(lines) + "\n```"


def named_keys(text: str) -> set[str]:
    """Keys in the tables below the page's heading "JSON"."""
    tables = text.partition("\n## JSON\n")[2]
    return {key for row in KEY_ROW.findall(tables) for key in re.findall(r"`(\w+)`", row)}


def check_keys(printed: list[str], keys: set[str]) -> None:
    assert keys, "the page has no table of keys"
    for line in printed:
        if line.startswith("{"):  # notes on stderr are no data
            assert set(json.loads(line)) <= keys


# README: what it shows must run


def test_the_readme_names_the_two_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for command in ("make demo", "make test"):
        assert command in text
        assert command.removeprefix("make ") in targets


def test_the_python_of_the_readme_runs(prepared: Path, tmp_path: Path) -> None:
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 1
    assert len(blocks[0].splitlines()) <= 12
    folder = tmp_path / "work"
    shutil.copytree(prepared, folder)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", blocks[0]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_tree_of_the_readme_is_this_tree() -> None:
    tree = (ROOT / "README.md").read_text("utf-8").partition("## What is where\n")[2]
    inside = ROOT / "src" / "sememe"
    rows = re.findall(r"^(?: {4}| {6})(?! )(\S+)(?:  |$)", tree, re.MULTILINE)
    missing = [name for name in rows if not (ROOT / name).exists() and not (inside / name).exists()]
    assert missing == []
    named = {name.rstrip("/") for name in rows}
    modules = {path.name for path in inside.iterdir() if not path.name.startswith("__")} - {"py.typed"}
    assert modules <= named


def test_links_between_the_docs_lead_somewhere() -> None:
    for page in (*DOCS.glob("*.md"), *ROOT.glob("*.md")):
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
