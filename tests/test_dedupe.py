from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sememe import api, errors, index
from sememe.api.duplicates import DuplicateGroup, find_duplicates
from sememe.archive import Archive, NewItem
from sememe.index import duplicates
from sememe.metrics import unit_rows
from sememe.metrics.calibration import Background
from sememe.types import Embeddings
from toys import toy_codec, toy_vectors
from workbench import TOY, Bench

DIM = 24


def background() -> Background:
    rng = np.random.default_rng(9)
    return Background.of(images=unit_rows(rng.standard_normal((200, DIM)).astype(np.float32)))


def clustered(n: int, seed: int = 0) -> Embeddings:
    """Rows of which a third are copies of others, with a little noise."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, DIM)).astype(np.float32)
    third = n // 3
    x[:third] = x[third : 2 * third] + 0.05 * rng.standard_normal((third, DIM)).astype(np.float32)
    return unit_rows(x[rng.permutation(n)])


def all_pairs(x: Embeddings, threshold: float) -> set[tuple[int, int]]:
    centred = background().centre(x, "image")
    rows = np.argwhere(np.triu(centred @ centred.T >= threshold, 1))
    return {(int(a), int(b)) for a, b in rows}


def as_set(pairs: index.Pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.better.tolist(), pairs.worse.tolist(), strict=True))


class Counting:
    """Vectors that remember how many rows were asked for at once."""

    def __init__(self, x: Embeddings) -> None:
        self.x, self.most = x, 0

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Embeddings:
        self.most = max(self.most, len(self.x[rows]))
        return self.x[rows]


# pairs


@pytest.mark.parametrize("exact", [True, False])
def test_all_pairs_are_found_and_none_twice(monkeypatch: pytest.MonkeyPatch, exact: bool) -> None:
    monkeypatch.setattr(duplicates, "FEW", 0)
    x = clustered(3000)
    told: list[tuple[int, int]] = []
    pairs = index.near_pairs(x, background(), 0.97, exact=exact, tell=lambda *step: told.append(step))
    wanted = all_pairs(x, 0.97)
    assert len(wanted) > 900
    assert len(as_set(pairs)) == len(pairs.worse)
    assert as_set(pairs) <= wanted
    assert len(as_set(pairs)) >= (len(wanted) if exact else 0.99 * len(wanted))
    assert told[-1] == (3000, 3000)
    centred = background().centre(x, "image")
    cosines = (centred[pairs.better] * centred[pairs.worse]).sum(axis=1)
    np.testing.assert_allclose(pairs.cosines, cosines, atol=1e-5)


def test_memory_is_bounded_and_crowded_cells_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "FEW", 0)
    monkeypatch.setattr(duplicates, "CHUNK", 100)
    monkeypatch.setattr(duplicates, "chunks", lambda n, size=100: index.chunks(n, size))
    monkeypatch.setattr(duplicates, "_MANY", 500)
    rng = np.random.default_rng(0)
    x = unit_rows(np.ones((600, DIM), np.float32) + 0.01 * rng.standard_normal((600, DIM)).astype(np.float32))
    vectors = Counting(x)
    pairs = index.near_pairs(vectors, background(), 0.9)
    assert vectors.most <= 200  # never the whole of a cell that holds everything
    assert len(pairs.worse) < 600 * 599 / 2  # most of which were let go
    keeper, _ = index.keepers(pairs, 600)
    assert set(keeper.tolist()) == {0}  # and still all belong to the best row


def test_nothing_is_like_nothing() -> None:
    assert len(index.near_pairs(np.zeros((0, DIM), np.float32), background()).worse) == 0
    assert len(index.near_pairs(np.eye(DIM, dtype=np.float32), background()).worse) == 0
    for threshold in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(errors.UsageError):
            index.near_pairs(np.eye(DIM, dtype=np.float32), background(), threshold)


# groups


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 30), st.integers(0, 2**32))
def test_every_copy_was_compared_with_the_one_that_is_kept(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    alike = np.triu(rng.random((n, n)) < 0.2, 1)
    worse, better = np.nonzero(alike.T)  # sorted by the worse row
    pairs = index.Pairs(better, worse, rng.random(len(worse)).astype(np.float32))
    keeper, cosines = index.keepers(pairs, n)
    for row in range(n):
        kept = keeper[row]
        assert keeper[kept] == kept
        if kept != row:
            assert alike[kept, row]
            assert cosines[row] == pairs.cosines[(better == kept) & (worse == row)][0]
        else:
            assert not any(alike[other, row] and keeper[other] == other for other in range(row))


def test_a_chain_of_likenesses_does_not_join_strangers() -> None:
    pairs = index.Pairs(np.array([0, 1]), np.array([1, 2]), np.array([0.98, 0.98], np.float32))
    assert index.keepers(pairs, 3)[0].tolist() == [0, 0, 2]


def put(path: Path, x: Embeddings, sizes: list[tuple[int, int, int]]) -> Path:
    codec = toy_codec(16)
    items = [
        NewItem(f"{row}.png", 0, size, b"", width, height) for row, (width, height, size) in enumerate(sizes)
    ]
    with Archive.create(path, api.identity.for_archive(codec.profile), 16) as archive:
        archive.put(items, codec.profile.encode(x, 16))
    return path


def paths(groups: list[DuplicateGroup]) -> list[list[str]]:
    return [[member.path for member in group.members] for group in groups]


def test_the_largest_picture_is_kept_then_the_larger_file(tmp_path: Path) -> None:
    a, b, c, d = toy_vectors()[:4]
    x = np.stack([a, a, b, a, b, c, d, c])
    sizes = [(10, 10, 5), (20, 20, 5), (8, 8, 5), (20, 20, 9), (8, 8, 7), (1, 1, 1), (9, 9, 9), (0, 0, 0)]
    found = find_duplicates(toy_codec(16), put(tmp_path / "a.sems", x, sizes))
    assert paths(found) == [["3.png", "1.png", "0.png"], ["4.png", "2.png"], ["5.png", "7.png"]]
    assert found[0].to_json() == {
        "count": 3,
        "members": [
            {"path": "3.png", "cosine": 1.0, "width": 20, "height": 20, "size": 9},
            {"path": "1.png", "cosine": 1.0, "width": 20, "height": 20, "size": 5},
            {"path": "0.png", "cosine": 1.0, "width": 10, "height": 10, "size": 5},
        ],
    }


def test_fewer_bytes_make_more_alike(tmp_path: Path) -> None:
    x = toy_vectors()[:200]
    archive = put(tmp_path / "a.sems", x, [(1, 1, 1)] * 200)
    counts = [
        sum(len(group.members) for group in find_duplicates(toy_codec(16), archive, nbytes=n))
        for n in (1, 16)
    ]
    assert counts[0] > counts[1]


def test_groups_agree_with_a_plain_reading_of_the_rule(tmp_path: Path) -> None:
    x = toy_vectors()[:150]
    codec = toy_codec(16)
    archive = put(tmp_path / "a.sems", x, [(1, 1, 150 - row) for row in range(150)])
    centred = codec.space.background(None).centre(codec.decode(archive), "image")
    cosines = centred @ centred.T
    kept: list[int] = []
    copies: dict[int, set[int]] = {}
    for row in range(150):
        near = [one for one in kept if cosines[one, row] >= np.float32(0.9)]
        if near:
            copies.setdefault(max(near, key=lambda one: cosines[one, row]), set()).add(row)
        else:
            kept.append(row)
    found = find_duplicates(codec, archive, threshold=0.9)
    assert {group[0]: set(group[1:]) for group in paths(found)} == {
        f"{one}.png": {f"{row}.png" for row in rows} for one, rows in copies.items()
    }


# the command


@pytest.fixture
def archive(bench: Bench) -> Bench:
    """Photos of which two are there twice."""
    for name in ("red", "blue"):
        bench.path(f"photos/{name}-again.png").write_bytes(
            bench.path(f"photos/{name}.png").read_bytes() + b"\0"
        )
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    return bench


def test_the_command_lists_groups_and_deletes_nothing(archive: Bench) -> None:
    def state() -> dict[str, str]:
        files = sorted(path for path in archive.folder.rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before = state()
    told = archive.ok("dedupe", "a.sems", "-q").split("\n\n")
    assert [[line.split()[-1] for line in group.splitlines()] for group in told] == [
        ["photos/blue-again.png", "photos/blue.png"],
        ["photos/red-again.png", "photos/red.png"],
    ]
    assert archive.ok("dedupe", "a.sems", "-q", "-f", "--omit-first").splitlines() == [
        "photos/blue.png",
        "photos/red.png",
    ]
    rows = [json.loads(line) for line in archive.ok("dedupe", "a.sems", "-q", "--json").splitlines()]
    assert [row["count"] for row in rows] == [2, 2]
    note = archive.run("dedupe", "a.sems", "--exact").stderr.decode()
    assert note == "2 of 8 pictures look like copies, in 2 groups; nothing was deleted\n"
    assert state() == before


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("none.sems",), 1),
        (("photos/red.png",), 4),
        (("a.sems", "--threshold", "2"), 2),
        (("a.sems", "--bytes", "32"), 2),
    ],
)
def test_wrong_calls_end_with_one_line(archive: Bench, arguments: tuple[str, ...], status: int) -> None:
    assert archive.fails("dedupe", *arguments)[0] == status


def test_the_default_is_the_library_s() -> None:
    from sememe.cli import dedupe

    assert dedupe.COPY == index.COPY
