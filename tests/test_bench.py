"""The benchmark's split, figures and tables; the numbers themselves live in results/."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
MARKED = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if "<!-- table:" in path.read_text(encoding="utf-8")
)
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the vectors in ../shared/data")


@pytest.fixture(autouse=True)
def _bench_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))


def bench(name: str) -> ModuleType:
    assert str(ROOT / "bench") in sys.path
    return importlib.import_module(name)


def overlap(one: np.ndarray, other: np.ndarray) -> int:
    return len({row.tobytes() for row in one} & {row.tobytes() for row in other})


@needs_data
def test_main_split_is_the_published_one() -> None:
    split = bench("split")
    parts = split.load_split(DATA)
    assert (len(parts.fit.x), len(parts.test.x), len(parts.queries.x)) == (25_447, 3_800, 800)
    assert parts.names == ("caltech101", "dtd", "fgvc", "oxford_pets")
    rng = np.random.default_rng(0)
    for name, rows in {"caltech101": 2000, "dtd": 600, "fgvc": 600, "oxford_pets": 600}.items():
        file = np.load(DATA / "vectors" / f"{name}.npz")
        order = rng.permutation(len(file["test_x"]))
        assert np.array_equal(parts.test.of(name).y, file["test_y"][order[:rows]])
        assert np.array_equal(parts.queries.of(name).y, file["test_y"][order[rows : rows + 200]])
    assert np.abs(np.linalg.norm(parts.test.x, axis=1) - 1).max() < 1e-6


@needs_data
@pytest.mark.parametrize("left", [("oxford_pets", "dtd"), ("fgvc", "sun397")])
def test_left_out_sets_are_left_out(left: tuple[str, ...]) -> None:
    split = bench("split")
    parts = split.load_leave_out(DATA, left)
    assert parts.names == left
    assert not set(left) & set(parts.fit.sets.tolist())
    assert (len(parts.test.x), len(parts.queries.x)) == (1_200, 400)
    for asked in (parts.test.x, parts.queries.x):
        assert overlap(asked, parts.fit.x) == overlap(asked, parts.means.x) == 0
    assert overlap(parts.test.x, parts.queries.x) <= 1  # one picture is in its source twice
    assert set(parts.test.sets.tolist()) == set(parts.means.sets.tolist())


@needs_data
def test_uncompressed_figures_are_the_known_ones() -> None:
    split, figures = bench("split"), bench("figures")
    parts = split.load_split(DATA)
    zero_shot = split.zero_shot_caltech(parts, DATA)
    assert (len(zero_shot.names), len(zero_shot.x)) == (53, 1304)
    found = figures.Judge(parts, DATA).figures(parts.test.x)
    assert found["zero_shot_caltech"] == pytest.approx(0.967, abs=1e-3)
    assert found["cosine"] == found["recall_at_10"] == found["lvis_agreement"] == 1.0


def test_residual_quantizer_prefixes_improve() -> None:
    pytest.importorskip("faiss", reason="needs the extra [bench]")
    baselines = bench("baselines")
    rng = np.random.default_rng(3)
    test = rng.normal(size=(50, 8)).astype(np.float32)
    codebooks = (
        rng.normal(size=(3, 256, 8)).astype(np.float32) / np.array([1, 3, 9], np.float32)[:, None, None]
    )
    errors = [np.square(baselines.decode_rq(codebooks, test, n) - test).sum() for n in (1, 2, 3)]
    nearest = np.square(test[:, None] - codebooks[0][None]).sum(axis=2).min(axis=1).sum()
    assert errors[0] == pytest.approx(nearest, rel=1e-4)
    assert errors[2] < errors[1] < errors[0]


@pytest.mark.parametrize("name", MARKED)
def test_tables_in_the_documentation_are_the_measured_ones(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert bench("table").fill(text) == text


def test_table_fills_between_markers_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = bench("table")
    rates = {"wall": 25_000}
    found = {
        "machine": {"cpu": "Abacus"},
        "encode_vectors_per_s": rates,
        "decode_vectors_per_s": rates,
        "start": {"info_s": {"wall": 0.1234}, "encode_photo_s": {"wall": 0.5}},
    }
    (tmp_path / "speed.json").write_text(json.dumps(found))
    monkeypatch.setattr(bench("tabular"), "RESULTS", tmp_path)
    filled = table.fill("before\n<!-- table:speed -->\nold\n<!-- /table -->\nafter\n")
    assert filled.startswith("before\n<!-- table:speed -->\n| what | one core of Abacus |\n")
    assert filled.endswith(
        "| `sememe info` | 0.12 s |\n| `sememe encode photo.jpg` | 0.50 s |\n<!-- /table -->\nafter\n"
    )
    assert "25,000 vectors/s" in filled
    assert "old" not in filled
    assert table.fill(filled) == filled
