from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_tools import NBYTES, PROFILE, code_of, codes_of, make, put_paths
from sememe import errors
from sememe.archive import Archive, ArchiveProfile, Known, NewItem
from sememe.archive import archive as module
from sememe.archive.blocks import SLOTS

GOLDEN = Path(__file__).parent / "golden" / "archive-v1.sems"
CAT_TIME = 1_600_000_000_123_456_789  # nanoseconds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "photos.sems"


def test_a_new_archive_is_empty_and_knows_its_profile(path: Path) -> None:
    with Archive.create(path, PROFILE, NBYTES) as archive:
        assert archive.profile == PROFILE
        assert (archive.nbytes, archive.generation, len(archive), len(archive.uid)) == (NBYTES, 0, 0, 16)
        ids, codes = archive.codes()
        assert (ids.shape, ids.dtype, codes.shape, codes.dtype) == ((0,), np.int64, (0, NBYTES), np.uint8)
        assert list(archive.items()) == list(archive.failed()) == []
        assert archive.verify() == []
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name]  # one file when closed


def test_it_is_an_sqlite_file_that_any_tool_opens(path: Path) -> None:
    make(path, ["a.jpg"])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (0x53454D53,)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("SELECT path, status FROM items").fetchall() == [("a.jpg", "ok")]
        assert connection.execute("SELECT data FROM codes").fetchone() == (code_of("a.jpg"),)


def test_a_writer_syncs_every_commit(path: Path) -> None:
    make(path)
    with Archive.open(path, write=True) as archive:
        assert archive.connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert archive.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_put_keeps_everything(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "time", lambda: 1_700_000_000.9)
    new = [
        NewItem("a.jpg", 1, 2, b"hash", 640, 480, 7),
        NewItem("b.jpg", -5, 0, b"", error="not an image:\nzero bytes"),
        NewItem("c.jpg"),
    ]
    with Archive.create(path, PROFILE, NBYTES) as archive:
        archive.put(new, codes_of(["a", "c"]))
    with Archive.open(path) as archive:
        a, b, c = archive.items()
        assert tuple(a) == ("a.jpg", 1, 2, b"hash", 640, 480, 7, "ok", None, 1_700_000_000, 0)
        assert tuple(b)[6:] == (None, "failed", "not an image: zero bytes", 1_700_000_000, 1)
        assert (c.fidelity, c.status, c.id) == (None, "ok", 2)
        assert list(archive.failed()) == [b]
        assert archive.known() == {
            "a.jpg": Known(1, 2, b"hash", "ok"),
            "b.jpg": Known(-5, 0, b"", "failed"),
            "c.jpg": Known(0, 0, b"", "ok"),
        }
        ids, codes = archive.codes()
        assert ids.tolist() == [0, 2] == [item.id for item in archive.items("ok")]
        assert codes.tobytes() == code_of("a") + code_of("c")
        assert archive.code("c.jpg") == code_of("c")
        assert archive.get("a.jpg") == a
        assert "a.jpg" in archive
        assert "z.jpg" not in archive
        assert len(archive) == 2


def test_putting_again_replaces_in_place(path: Path) -> None:
    make(path, ["a", "b", "c"])
    with Archive.open(path, write=True) as archive:
        before = archive.generation
        archive.put([NewItem("b", mtime_ns=9), NewItem("d")], codes_of(["B", "d"]))
        assert archive.generation == before + 1
        assert [item.path for item in archive.items()] == ["a", "b", "c", "d"]
        assert archive.codes()[1].tobytes() == b"".join(map(code_of, "aBcd"))
        assert archive.get("b").mtime_ns == 9
        archive.put([NewItem("b", error="gone")], codes_of([]))
        assert archive.codes()[0].tolist() == [0, 2, 3]
        with pytest.raises(errors.InputError, match="failed: gone"):
            archive.code("b")
        archive.put([NewItem("b")], codes_of(["b"]))
        assert archive.codes()[0].tolist() == [0, 1, 2, 3]
        assert archive.verify() == []


def test_generation_counts_changes_of_codes_only(path: Path) -> None:
    make(path, ["a"])
    with Archive.open(path, write=True) as archive:
        start = archive.generation
        put_paths(archive, ["a"], mtime_ns=5)  # the same code again
        archive.put([NewItem("bad", error="no")], codes_of([]))
        archive.put([], codes_of([]))
        archive.remove(["bad", "unknown"])
        assert archive.generation == start
        assert archive.remove(["a"]) == 1
        assert archive.generation == start + 1


def test_of_equal_paths_the_last_counts(path: Path) -> None:
    with Archive.create(path, PROFILE, NBYTES) as archive:
        new = [NewItem("a"), NewItem("b", error="no"), NewItem("b"), NewItem("a"), NewItem("c", error="no")]
        archive.put(new, codes_of(["1", "2", "3"]))
        assert {p: archive.code(p) for p in "ab"} == {"a": code_of("3"), "b": code_of("2")}
        assert len(archive) == 2
        assert archive.verify() == []


def test_ids_are_never_used_twice(path: Path) -> None:
    make(path, ["a", "b"])
    with Archive.open(path, write=True) as archive:
        assert archive.remove(["b", "b", "nothing"]) == 1
        put_paths(archive, ["b"])
        assert archive.get("b").id == 2


def test_blocks_are_rewritten_alone_and_vanish_when_empty(path: Path) -> None:
    names = [f"{i}.jpg" for i in range(2 * SLOTS + 10)]
    make(path, names)
    with Archive.open(path, write=True) as archive:
        archive.remove(names[:SLOTS])
        rows = archive.connection.execute("SELECT block, width, count FROM codes").fetchall()
        assert rows == [(1, NBYTES, SLOTS), (2, NBYTES, 10)]
        before = archive.connection.total_changes
        put_paths(archive, ["one-more.jpg"])
        changes = archive.connection.total_changes - before
        assert changes <= 4  # an item, a block, two counters
        ids, codes = archive.codes()
        assert ids.tolist() == list(range(SLOTS, 2 * SLOTS + 11))
        assert codes.tobytes() == b"".join(map(code_of, [*names[SLOTS:], "one-more.jpg"]))
        assert len(archive) == len(ids)


@pytest.mark.parametrize("nbytes", [1, 255])
def test_shortest_and_longest_codes(path: Path, nbytes: int) -> None:
    make(path, ["a", "b"], nbytes)
    with Archive.open(path) as archive:
        assert archive.code("b") == code_of("b", nbytes)


@pytest.mark.parametrize(
    ("profile", "nbytes"),
    [
        (PROFILE, 0),
        (PROFILE, 256),
        (PROFILE._replace(fingerprint=b"short"), 16),
        (PROFILE._replace(profile_id=""), 16),
        (PROFILE._replace(profile_id="a\nb"), 16),
        (PROFILE._replace(manifest="\udcff"), 16),
        (PROFILE._replace(manifest="x" * (2**20 + 1)), 16),
        (PROFILE._replace(tables=bytes(2**26 + 1)), 16),
    ],
)
def test_what_no_archive_can_hold_is_refused(path: Path, profile: ArchiveProfile, nbytes: int) -> None:
    with pytest.raises(errors.UsageError):
        Archive.create(path, profile, nbytes)
    assert not path.exists()


@pytest.mark.parametrize(
    ("item", "codes"),
    [
        (NewItem("a"), np.zeros((0, NBYTES), np.uint8)),
        (NewItem("a"), np.zeros((2, NBYTES), np.uint8)),
        (NewItem("a"), np.zeros((1, NBYTES + 1), np.uint8)),
        (NewItem("a"), np.zeros((1, NBYTES), np.int16)),
        (NewItem("a", error="no"), np.zeros((1, NBYTES), np.uint8)),
        (NewItem(""), codes_of("a")),
        (NewItem("nul\0"), codes_of("a")),
        (NewItem("\ud800"), codes_of("a")),
        (NewItem("\udcc3\udca9"), codes_of("a")),  # spells the UTF-8 of é, which os.fsdecode never gives
        (NewItem("x" * 40_000), codes_of("a")),
        (NewItem("ü" * 20_000), codes_of("a")),
        (NewItem("a", mtime_ns=2**63), codes_of("a")),
        (NewItem("a", size=-1), codes_of("a")),
        (NewItem("a", content_hash=bytes(65)), codes_of("a")),
        (NewItem("a", fidelity=256), codes_of("a")),
    ],
)
def test_a_wrong_put_is_refused_and_stores_nothing(path: Path, item: NewItem, codes: np.ndarray) -> None:
    make(path, ["kept"])
    with Archive.open(path, write=True) as archive:
        with pytest.raises(errors.UsageError):
            archive.put([item], codes)
        assert [kept.path for kept in archive.items()] == ["kept"]


def test_numbers_of_numpy_are_numbers(path: Path) -> None:
    with Archive.create(path, PROFILE, NBYTES) as archive:
        archive.put([NewItem("a", width=np.int64(3), fidelity=np.uint8(4))], codes_of("a"))  # type: ignore[arg-type]
        assert archive.get("a")[4:7] == (3, 0, 4)


def test_names_that_are_not_utf8_round_trip(path: Path) -> None:
    names = [
        "plain",
        "ünïcode/日本",
        os.fsdecode(b"latin-\xe9.jpg"),
        os.fsdecode(b"\xff"),
        "new\nline",
        "'; --",
    ]
    with Archive.create(path, PROFILE, NBYTES) as archive:
        put_paths(archive, names)
        archive.put([NewItem("bad", error=f"no such file {names[2]!s}")], codes_of([]))
    with Archive.open(path, write=True) as archive:
        assert list(archive.known()) == [*names, "bad"]
        assert [archive.code(name) for name in names] == [code_of(name) for name in names]
        assert next(archive.failed()).error == r"no such file latin-\udce9.jpg"
        put_paths(archive, names)
        assert len(archive) == len(names)
        assert archive.remove(names) == len(names)


def test_archives_whose_own_name_is_strange(tmp_path: Path) -> None:
    for name in ("a b?mode=memory#x%41.sems", os.fsdecode(b"\xff.sems")):
        make(tmp_path / name, ["a"])
        with Archive.open(str(tmp_path / name)) as archive:
            assert archive.code("a") == code_of("a")


def test_unknown_paths_are_named(path: Path) -> None:
    make(path)
    with Archive.open(path) as archive:
        for ask in (archive.get, archive.code):
            with pytest.raises(errors.InputError, match="holds no 'cat'"):
                ask("cat")


def test_a_reader_cannot_write(path: Path) -> None:
    make(path, ["a"])
    with Archive.open(path) as archive:
        for change in (lambda: put_paths(archive, ["b"]), lambda: archive.remove(["a"]), archive.merge_from):
            with pytest.raises(errors.ReadOnlyError, match="write=True"):
                change()
        with pytest.raises(sqlite3.OperationalError):  # and SQLite itself would not let it
            archive.connection.execute("DELETE FROM items")


def test_a_closed_archive_says_so(path: Path) -> None:
    make(path)
    archive = Archive.open(path)
    archive.close()
    archive.close()
    with pytest.raises(errors.UsageError, match="closed"):
        archive.codes()


def test_an_archive_stays_in_its_thread(path: Path) -> None:
    make(path)
    caught: list[BaseException] = []

    def ask(archive: Archive) -> None:
        try:
            archive.codes()
        except errors.UsageError as error:
            caught.append(error)

    with Archive.open(path) as archive:
        thread = threading.Thread(target=ask, args=(archive,))
        thread.start()
        thread.join()
    assert "thread" in str(caught[0])


def test_an_existing_file_is_never_replaced(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"precious")
    with pytest.raises(errors.StorageError, match="exists already"):
        Archive.create(path, PROFILE, NBYTES)
    make(tmp_path / "b.sems", ["a"])
    with (
        Archive.open(tmp_path / "b.sems") as archive,
        pytest.raises(errors.StorageError, match="exists already"),
    ):
        archive.truncate_to(path, 4)
    assert path.read_bytes() == b"precious"
    assert len(list(tmp_path.iterdir())) == 2


# ---------------------------------------------------------------- truncate and merge


def test_truncate_cuts_every_code_and_keeps_all_else(path: Path, tmp_path: Path) -> None:
    names = [f"{i}" for i in range(SLOTS + 5)]
    with Archive.create(path, PROFILE, NBYTES) as archive:
        put_paths(archive, names, fidelity=9)
        archive.put([NewItem("bad", error="no")], codes_of([]))
        archive.remove(["3"])
        archive.truncate_to(tmp_path / "short.sems", 4)
        archive.truncate_to(tmp_path / "known.sems", 4, fidelity=[20] * len(archive))
        whole = list(archive.items()), archive.codes(), archive.next_id, archive.uid
    with Archive.open(tmp_path / "short.sems") as short:
        assert short.nbytes == 4
        assert short.profile == PROFILE
        assert short.uid != whole[3]
        assert list(short.items()) == [item._replace(fidelity=None) for item in whole[0]]
        assert np.array_equal(short.codes()[0], whole[1][0])
        assert np.array_equal(short.codes()[1], whole[1][1][:, :4])
        assert short.next_id == whole[2]
        assert short.verify() == []
    with Archive.open(tmp_path / "known.sems") as known:
        assert {item.fidelity for item in known.items("ok")} == {20}
    with Archive.open(path) as archive:
        archive.truncate_to(tmp_path / "copy.sems", NBYTES)
    with Archive.open(tmp_path / "copy.sems") as copy:
        assert list(copy.items()) == whole[0]
        assert np.array_equal(copy.codes()[1], whole[1][1])


def test_truncate_refuses_what_it_cannot_do(path: Path, tmp_path: Path) -> None:
    make(path, ["a"])
    target = tmp_path / "t.sems"
    with Archive.open(path) as archive:
        for nbytes in (0, 17):
            with pytest.raises(errors.UsageError, match="cannot be cut"):
                archive.truncate_to(target, nbytes)
        with pytest.raises(errors.UsageError, match="2 fidelities for 1"):
            archive.truncate_to(target, 4, fidelity=[1, 2])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def put_at(path: Path, when: int, item: NewItem, code: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    with Archive.create(path, PROFILE, NBYTES) as archive, monkeypatch.context() as patch:
        patch.setattr(module.time, "time", lambda: when)
        archive.put([item], codes_of([code] if item.error is None else []))
    return path


@pytest.mark.parametrize(
    ("ours", "theirs", "taken"),
    [
        ((10, NewItem("a", mtime_ns=1)), (5, NewItem("a", mtime_ns=2)), True),  # the later picture
        ((10, NewItem("a", mtime_ns=2)), (20, NewItem("a", mtime_ns=1)), False),
        ((10, NewItem("a", mtime_ns=1, error="no")), (5, NewItem("a", mtime_ns=1)), True),  # a code
        ((10, NewItem("a", mtime_ns=1)), (20, NewItem("a", mtime_ns=1, error="no")), False),
        ((10, NewItem("a", mtime_ns=1)), (20, NewItem("a", mtime_ns=2, error="no")), True),
        ((10, NewItem("a", mtime_ns=1)), (11, NewItem("a", mtime_ns=1)), True),  # the later encoding
        ((10, NewItem("a", mtime_ns=1)), (10, NewItem("a", mtime_ns=1)), False),  # equal: ours
    ],
)
def test_merge_keeps_the_newer_record(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ours: tuple[int, NewItem],
    theirs: tuple[int, NewItem],
    taken: bool,
) -> None:
    target = put_at(tmp_path / "ours.sems", *ours, "ours", monkeypatch)
    source = put_at(tmp_path / "theirs.sems", *theirs, "theirs", monkeypatch)
    with Archive.open(target, write=True) as archive, Archive.open(source) as other:
        assert archive.merge_from(source) == taken
        winner = other if taken else None
        assert archive.get("a").mtime_ns == (theirs if taken else ours)[1].mtime_ns
        if archive.get("a").status == "ok":
            assert archive.code("a") == (winner.code("a") if winner else code_of("ours"))
        assert archive.verify() == []


def test_merge_of_shards(tmp_path: Path) -> None:
    shards = [make(tmp_path / f"{s}.sems", [f"{s}/{i}" for i in range(1500)]) for s in range(3)]
    with Archive.create(tmp_path / "all.sems", PROFILE, NBYTES) as archive:
        assert archive.merge_from(*shards) == 4500
        assert archive.merge_from(*shards) == 0
        names = [f"{s}/{i}" for s in range(3) for i in range(1500)]
        assert [item.path for item in archive.items()] == names
        assert archive.codes()[1].tobytes() == codes_of(names).tobytes()
        assert archive.merge_from(tmp_path / "all.sems") == 0  # even itself
        assert archive.verify() == []


def test_what_was_made_otherwise_never_merges(tmp_path: Path) -> None:
    good = make(tmp_path / "good.sems", ["good"])
    Archive.create(tmp_path / "other.sems", PROFILE._replace(fingerprint=bytes(32)), NBYTES).close()
    make(tmp_path / "short.sems", ["short"], 4)
    with Archive.create(tmp_path / "all.sems", PROFILE, NBYTES) as archive:
        for wrong in ("other.sems", "short.sems"):
            with pytest.raises(errors.ProfileMismatchError, match=wrong):
                archive.merge_from(good, tmp_path / wrong)
        assert len(archive) == 0  # not even what came before


# ---------------------------------------------------------------- against a model

names = st.sampled_from([f"{i}.jpg" for i in range(12)] + [os.fsdecode(b"\xe9")])
puts = st.lists(st.tuples(names, st.none() | st.binary(min_size=NBYTES, max_size=NBYTES)), max_size=8)
steps = st.lists(
    st.tuples(st.just("put"), puts) | st.tuples(st.just("remove"), st.lists(names, max_size=4)), max_size=8
)


@dataclass
class Model:
    """What an archive should hold, as a dict from path to code or None."""

    codes: dict[str, bytes | None] = field(default_factory=dict)

    def apply(self, verb: str, argument: list) -> None:
        if verb == "put":
            self.codes.update(dict(argument))
        else:
            for name in argument:
                self.codes.pop(name, None)


def apply(archive: Archive, verb: str, argument: list) -> None:
    if verb == "remove":
        archive.remove(argument)
        return
    new = [NewItem(name, error="no" if code is None else None) for name, code in argument]
    data = b"".join(code for _, code in argument if code is not None)
    archive.put(new, np.frombuffer(data, np.uint8).reshape(-1, NBYTES))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_any_history_leaves_what_a_dict_would(tmp_path: Path, history: list[tuple[str, list]]) -> None:
    path, model = tmp_path / "history.sems", Model()
    path.unlink(missing_ok=True)
    with Archive.create(path, PROFILE, NBYTES) as archive:
        for verb, argument in history:
            apply(archive, verb, argument)
            model.apply(verb, argument)
    with Archive.open(path) as archive:
        assert {item.path: item.status for item in archive.items()} == {
            name: "failed" if code is None else "ok" for name, code in model.codes.items()
        }
        ids, codes = archive.codes()
        found = {item.path: row.tobytes() for item, row in zip(archive.items("ok"), codes, strict=True)}
        assert found == {name: code for name, code in model.codes.items() if code is not None}
        assert ids.tolist() == [item.id for item in archive.items("ok")]
        assert archive.verify() == []


# ---------------------------------------------------------------- golden


def write_golden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "time", lambda: 1_700_000_000)
    GOLDEN.unlink(missing_ok=True)
    with Archive.create(GOLDEN, PROFILE, 4) as archive:
        new = [
            NewItem("cat.jpg", CAT_TIME, 2_345_678, bytes(range(16)), 4000, 3000, 60),
            NewItem("gone.jpg"),
            NewItem(os.fsdecode(b"caf\xe9.jpg"), 5, 6, b"", 7, 8, None),
            NewItem("empty.jpg", error="zero bytes"),
        ]
        archive.put(new, np.arange(12, dtype=np.uint8).reshape(3, 4))
        archive.remove(["gone.jpg"])


def test_golden_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.environ.get("GENERATE_GOLDEN") == "1":
        write_golden(monkeypatch)
    shutil.copy(GOLDEN, tmp_path / "copy.sems")
    with Archive.open(tmp_path / "copy.sems") as archive:
        assert archive.profile == PROFILE
        assert (archive.nbytes, archive.generation, archive.next_id, len(archive)) == (4, 2, 4, 2)
        assert list(map(tuple, archive.items())) == [
            ("cat.jpg", CAT_TIME, 2_345_678, bytes(range(16)), 4000, 3000, 60, "ok", None, 1_700_000_000, 0),
            ("caf\udce9.jpg", 5, 6, b"", 7, 8, None, "ok", None, 1_700_000_000, 2),
            ("empty.jpg", 0, 0, b"", 0, 0, None, "failed", "zero bytes", 1_700_000_000, 3),
        ]
        ids, codes = archive.codes()
        assert ids.tolist() == [0, 2]
        assert codes.tolist() == [[0, 1, 2, 3], [8, 9, 10, 11]]
        assert archive.verify() == []


def test_golden_block_has_the_bytes_of_format_md(tmp_path: Path) -> None:
    shutil.copy(GOLDEN, tmp_path / "copy.sems")
    with closing(sqlite3.connect(tmp_path / "copy.sems")) as connection:
        row = connection.execute("SELECT block, width, count, crc, present, data FROM codes").fetchall()
        meta = dict(connection.execute("SELECT key, value FROM meta"))
    assert row == [(0, 4, 2, 0x12333F6D, b"\x05" + bytes(127), bytes.fromhex("00010203 08090a0b"))]
    assert meta["crc"] == 0xF33456A0
