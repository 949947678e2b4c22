"""`--json` is a contract: the keys and types that each verb prints never change unnoticed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from sememe import backbones
from workbench import TOY, Bench, make_bench

GOLDEN = Path(__file__).parent / "golden" / "json_keys.json"

CALLS = {
    "encode image": ("encode", "photos/red.png", *TOY),
    "encode archive": ("encode", "photos", "-o", "b.sems", *TOY),
    "encode archive, some failed": ("encode", "photos", "broken.png", "-o", "c.sems", *TOY),
    "encode vectors": ("encode", "x.npy", "-o", "codes.npy", *TOY),
    "encode regions": ("encode", "photos/red.png", "--regions", "2", "-o", "parts.sem", *TOY),
    "decode": ("decode", "a.sems", "-o", "y.npy"),
    "generate": ("generate", "photos/red.png", "-o", "drawn.png", "--steps", "1"),
    "info generated": ("info", "g.png"),
    "info file": ("info", "red.sem"),
    "info archive": ("info", "a.sems"),
    "info profile": ("info", "toy.profile"),
    "classify": ("classify", "a.sems", "--labels", "red,blue"),
    "search": ("search", "a.sems", "red"),
    "report": ("report", "a.sems", "-o", "report.html"),
    "dedupe": ("dedupe", "a.sems", "--threshold", ".1"),
    "map": (
        "map",
        "a.sems",
        "-o",
        "map.svg",
        "--labels",
        "red,lime,blue,white,black,yellow",
        "--clusters",
        "6",
    ),
    "packet": ("packet", "photos/red.png", "--with", "size,gps", "--position", "1,2", *TOY),
    "find": ("find", "photos/red.png", "red", *TOY),
    "caption": ("caption", "a.sems", "--vocabulary", "words.npz", "-n", "2"),
    "explain": ("explain", "photos/red.png", "--labels", "red,blue", *TOY),
    "truncate archive": ("truncate", "a.sems", "--bytes", "4", "-o", "short.sems"),
    "truncate file": ("truncate", "red.sem", "--bytes", "4", "-o", "short.sem"),
    "verify": ("verify", "a.sems"),
    "merge": ("merge", "a.sems", "-o", "merged.sems"),
    "remove": ("remove", "less.sems", "photos/red.png"),
    "compact": ("compact", "a.sems"),
    "import": ("import", "x.npy", "-o", "imported.sems", *TOY),
    "export": ("export", "a.sems"),
    "export to a file": ("export", "a.sems", "-o", "all.npy"),
    "fit": ("fit", "x.npy", "--space", "mine", "-o", "mine.profile", "-q"),
    "bench": ("bench", "set.npz", "--text", "text.npz", "--bytes", "4", "-q"),
    "bench list": ("bench", "--list"),
    "plot": ("plot", "report.json", "--table"),
    "models list": ("models", "list"),
    "selftest": ("selftest",),
    "demo": ("demo",),
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, toy_profile_file: Path) -> Bench:
    made = make_bench(tmp_path_factory.mktemp("contract"), toy_profile_file)
    made.ok("encode", "photos", "-o", "a.sems", *TOY)
    made.ok("encode", "photos", "-o", "less.sems", *TOY)
    made.ok("encode", "photos/red.png", "-o", "red.sem", *TOY)
    made.ok("generate", "photos/red.png", "-o", "g.png", "--steps", "1")
    made.path("broken.png").write_bytes(b"no picture")
    np.save(made.path("x.npy"), np.random.default_rng(0).normal(size=(60, 32)).astype(np.float32))
    words, parents = ["bright", "red", "blue"], ["", "bright", "bright"]
    vectors = backbones.load("toy/32").embed_texts(words)
    np.savez(made.path("words.npz"), names=np.array(words), parents=np.array(parents), x=vectors)
    rng = np.random.default_rng(1)
    middles, names = rng.normal(size=(8, 32)), np.array(list("abcdefgh"))
    labels, pixels = np.arange(120) % 8, np.full(120, 1000)
    x = middles[labels] + 0.3 * rng.normal(size=(120, 32))  # classes no code confuses, rows that each must
    np.savez(made.path("set.npz"), x=x, y=labels, names=names, pixels=pixels)
    np.savez(made.path("text.npz"), x=middles, names=names)
    made.ok("bench", "set.npz", "--bytes", "4", "--table", "none", "-q", "-o", "report.json")
    return made


def shape(value: object) -> object:
    """What a reader relies on: keys in their order, types, and what lists hold."""
    if isinstance(value, dict):
        numbered = all(key.isdigit() for key in value)  # lengths in bytes are data, not names
        items = list(value.items())[:1] if numbered else value.items()
        return {"<bytes>" if numbered else key: shape(inner) for key, inner in items}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    return "number" if isinstance(value, int | float) else "string"


@pytest.mark.parametrize("name", CALLS)
def test_keys_and_types(bench: Bench, name: str) -> None:
    if name == "demo":
        pytest.importorskip("skimage", reason="needs the extra [demo]")
        pytest.importorskip("sklearn", reason="needs the extra [demo]")
    done = bench.run(*CALLS[name], "--json")
    assert done.returncode == (3 if "failed" in name else 0), done.stderr.decode()
    found = shape(json.loads(done.stdout.decode().splitlines()[0]))
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if os.environ.get("GENERATE_GOLDEN") == "1":
        GOLDEN.write_text(json.dumps({**golden, name: found}, indent=1) + "\n")
        pytest.skip("golden keys were written, not compared")
    assert list(golden[name]) == list(found)
    assert golden[name] == found


def test_every_verb_is_held_to_it() -> None:
    from sememe.cli.parser import VERBS

    endless = {"serve"}  # prints one line and goes on; tests/test_web_browser.py reads it
    assert {call[0] for call in CALLS.values()} == {verb.NAME for verb in VERBS} - endless
