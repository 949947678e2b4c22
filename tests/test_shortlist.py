from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sememe import api
from sememe.api import sources
from sememe.api.identity import for_archive
from sememe.archive import Archive, NewItem
from sememe.archive.blocks import SLOTS
from sememe.errors import InputError, VectorError
from sememe.index import Shortlist, cache
from sememe.metrics import unit_rows
from sememe.metrics.calibration import Term
from toys import toy_codec, toy_profile

DIM = 40
ROWS = 3 * SLOTS


def cloud(n: int, seed: int = 0) -> np.ndarray:
    """Unit vectors around a few centres."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).standard_normal((20, DIM))
    return unit_rows(centres[rng.integers(0, 20, n)] + 0.8 * rng.standard_normal((n, DIM)))


def shortlist(x: np.ndarray) -> Shortlist:
    learned = Shortlist.train(x[:2000])
    return learned.holding(learned.encode(x))


def test_a_tenth_of_the_rows_holds_nearly_all_best_ones() -> None:
    x, queries = cloud(5000), cloud(50, seed=1)
    found = shortlist(x)
    right = [
        len(set(found.scan(query, 500)[0].tolist()) & set(np.argsort(-(x @ query))[:10].tolist()))
        for query in queries
    ]
    assert np.mean(right) > 9.9


def test_rows_come_best_first_each_once_and_never_more_than_there_are() -> None:
    x = cloud(300)
    rows, products = shortlist(x).scan(x[5], 1000)
    assert sorted(rows.tolist()) == list(range(300))
    assert (np.diff(products) <= 0).all()
    assert np.corrcoef(products, x[rows] @ x[5])[0, 1] > 0.95
    some = shortlist(x).scan(x[5], 30)[0]
    assert 5 in some
    assert len(set(some.tolist())) == len(some) == 30


def test_the_same_vectors_give_the_same_shortlist() -> None:
    x = cloud(3000)
    one, same = shortlist(x), shortlist(x)
    for name in one.arrays:
        assert np.array_equal(one.arrays[name], same.arrays[name])


def test_codes_do_not_depend_on_what_they_are_coded_with() -> None:
    x = cloud(600)
    learned = Shortlist.train(x)
    assert np.array_equal(learned.encode(x)[100:200], learned.encode(x[100:200]))


@pytest.mark.parametrize("wrong", ["basis", "centroids", "codes"])
def test_arrays_that_do_not_fit_are_refused(wrong: str) -> None:
    arrays = dict(shortlist(cloud(300)).arrays)
    arrays[wrong] = arrays[wrong][:, :-1]
    with pytest.raises(VectorError, match="no shortlist"):
        Shortlist(**arrays)


def test_too_few_vectors_are_refused() -> None:
    with pytest.raises(VectorError, match="256"):
        Shortlist.train(cloud(255))


# in the cache beside an archive


def codes(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 8), np.uint8)


def fill(path: Path, n: int = ROWS) -> Path:
    with Archive.create(path, for_archive(toy_profile()), 8) as archive:
        archive.put([NewItem(f"{row}.jpg") for row in range(n)], codes(n))
    return path


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive that counts as large."""
    monkeypatch.setattr(sources, "LARGE", 1000)
    return fill(tmp_path / "many.sems")


def search(archive: Path, **options: object) -> list[tuple[int, str | None, str]]:
    query = toy_profile().decode(codes(5)[4:5])[0]
    hits = toy_codec(8).search(archive, query, k=5, **options)  # type: ignore[arg-type]
    return [(hit.row, hit.path, hit.strength) for hit in hits]


def watch(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many rows are coded for the shortlist."""
    seen: list[int] = []
    encode = Shortlist.encode

    def spy(self: Shortlist, x: np.ndarray) -> np.ndarray:
        seen.append(len(x))
        return encode(self, x)

    monkeypatch.setattr(Shortlist, "encode", spy)
    return seen


def test_a_large_archive_gives_what_an_exact_search_gives(large: Path) -> None:
    told: list[tuple[int, int]] = []
    found = search(large, tell=lambda done, total: told.append((done, total)))
    assert told[-1] == (ROWS, ROWS)
    assert found == search(large, exact=True) == search(large)
    assert found[0] == (4, "4.jpg", "strong")
    assert [path.name for path in Path(f"{large}.cache").iterdir()] == ["shortlist-8.safetensors"]


def test_the_second_search_codes_nothing_again(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, seen = search(large), watch(monkeypatch)
    assert search(large) == first
    assert seen == []


def test_only_blocks_that_changed_are_coded_again(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search(large)
    seen = watch(monkeypatch)
    with Archive.open(large, write=True) as archive:
        archive.put([NewItem(f"{SLOTS + 3}.jpg"), NewItem("new.jpg")], codes(2, seed=9))
        archive.remove(["0.jpg"])
    found = search(large)
    assert sum(seen) == (SLOTS - 1) + SLOTS + 1  # one code less, one changed, one new
    assert found == search(large, exact=True)
    assert found[0] == (3, "4.jpg", "strong")


def test_a_cache_of_other_codes_or_another_profile_is_made_anew(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search(large)
    kept = Path(f"{large}.cache") / "shortlist-8.safetensors"
    other = tmp_path / "other.sems"
    with Archive.create(other, for_archive(toy_profile()), 8) as archive:
        archive.put([NewItem(f"{row}.jpg") for row in range(ROWS)], codes(ROWS, seed=3))
    Path(f"{other}.cache").mkdir()
    (Path(f"{other}.cache") / kept.name).write_bytes(kept.read_bytes())
    seen = watch(monkeypatch)
    assert search(other) == search(other, exact=True)
    assert sum(seen) == ROWS
    monkeypatch.setattr(cache, "_VERSION", "2")
    seen.clear()
    search(large)
    assert sum(seen) == ROWS


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "folder"])
def test_a_damaged_cache_is_made_anew(large: Path, damage: str) -> None:
    before = search(large)
    kept = Path(f"{large}.cache") / "shortlist-8.safetensors"
    whole = kept.read_bytes()
    if damage == "folder":
        kept.unlink()
        kept.mkdir()
    else:
        kept.write_bytes({"empty": b"", "cut": whole[:-100], "noise": os.urandom(len(whole))}[damage])
    assert search(large) == before


def test_nothing_is_kept_where_nothing_may_be_written(large: Path) -> None:
    Path(f"{large}.cache").write_text("in the way")
    assert search(large) == search(large, exact=True)


def test_fewer_bytes_have_a_shortlist_of_their_own(large: Path) -> None:
    codec = toy_codec(8)
    source = codec.read(large).cut(4)
    query = toy_profile().decode(codes(5)[4:5])[0]
    hits = codec.search(source, query, k=5)
    assert [hit.row for hit in hits] == [hit.row for hit in codec.search(source, query, k=5, exact=True)]
    assert (Path(f"{large}.cache") / "shortlist-4.safetensors").exists()


def test_paths_of_a_large_archive_are_read_when_asked_for(large: Path) -> None:
    names = api.read_source(large, toy_profile()).names
    assert len(names) == ROWS
    assert names[2000] == "2000.jpg"
    assert list(names[10:12]) == ["10.jpg", "11.jpg"]
    assert list(names)[-1] == f"{ROWS - 1}.jpg"
    with Archive.open(large, write=True) as archive:
        archive.remove(["2000.jpg"])
    with pytest.raises(InputError, match="no item"):
        names[2000]


def test_scores_follow_the_direction_of_a_query() -> None:
    background = toy_codec().space.background(None)
    x = toy_profile().decode(codes(2000))
    query = background.query([Term(x[7], "image"), Term(x[9], "image", 0.5)])
    products = background.centre(x, "image") @ background.direction(query)
    scores = background.score([query], x)[0][0]
    assert len(set(np.argsort(-scores)[:10]) & set(np.argsort(-products)[:50])) >= 9
    assert np.corrcoef(scores, products)[0, 1] > 0.97


def test_small_archives_need_no_faiss(tmp_path: Path) -> None:
    program = f"""
import sys
sys.modules["faiss"] = None
import numpy as np
from toys import toy_codec, toy_profile
query = toy_profile().decode(np.zeros((1, 8), np.uint8))[0]
print(len(toy_codec(8).search({str(fill(tmp_path / "few.sems", 50))!r}, query, k=5)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "5", done.stderr
