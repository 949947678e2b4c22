from __future__ import annotations

import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from archive_tools import NBYTES, PROFILE, code_of, codes_of, make, put_paths, tamper
from sememe import errors
from sememe.archive import Archive, NewItem
from sememe.archive.schema import STATEMENTS

NAMES = [f"{i}.jpg" for i in range(40)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    make(tmp_path / "photos.sems", NAMES)
    with Archive.open(tmp_path / "photos.sems", write=True) as archive:
        archive.put([NewItem("bad.jpg", error="no")], codes_of([]))
    return tmp_path / "photos.sems"


def read_all(path: Path) -> tuple[list, list]:
    """Use every way to read; whatever is wrong must come out as one of our errors."""
    with Archive.open(path) as archive:
        problems = archive.verify()
        ids, codes = archive.codes()
        items = list(archive.items("ok"))
        archive.known(), list(archive.failed()), len(archive), archive.generation, archive.next_id
        for item in items[:2]:
            archive.code(item.path)
        return problems, [(i, code.tobytes()) for i, code in zip(ids.tolist(), codes, strict=True)]


# ---------------------------------------------------------------- not an archive


def test_files_that_are_no_archives_are_named(tmp_path: Path) -> None:
    for name, data in {
        "empty": b"",
        "text": b"hello " * 40,
        "short": b"SQLite format 3\0",
        "hollow": b"SQLite format 3\0" + bytes(200),
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(errors.ArchiveFormatError, match=f"{name}: not an archive"):
            Archive.open(tmp_path / name)
    with pytest.raises(errors.ArchiveFormatError, match="folder"):
        Archive.open(tmp_path)
    with pytest.raises(errors.StorageError, match="no such archive"):
        Archive.open(tmp_path / "missing.sems", write=True)
    assert not (tmp_path / "missing.sems").exists()


def test_a_database_of_another_program_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    tamper(path, "CREATE TABLE t (a)")
    before = path.read_bytes()
    for write in (False, True):
        with pytest.raises(errors.ArchiveFormatError, match="another program"):
            Archive.open(path, write=write)
    assert path.read_bytes() == before


def test_a_newer_version_is_named(path: Path) -> None:
    tamper(path, "PRAGMA user_version = 3")
    with pytest.raises(errors.ArchiveFormatError, match=r"version 3 .* reads 1 and 2"):
        Archive.open(path)


# ---------------------------------------------------------------- hostile


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW v AS SELECT * FROM items",
        "CREATE TRIGGER t AFTER INSERT ON items BEGIN DELETE FROM codes; END",
        "CREATE TABLE extra (a)",
        "CREATE INDEX extra ON items (size)",
        "ALTER TABLE items ADD COLUMN extra",
        "DROP INDEX items_failed",
        "DROP TABLE codes",
    ],
)
def test_a_foreign_schema_is_refused(path: Path, statement: str) -> None:
    tamper(path, statement)
    for write in (False, True):
        with pytest.raises(errors.ArchiveFormatError, match=r"which no archive has|lacks a table"):
            Archive.open(path, write=write)


def test_a_view_in_the_place_of_a_table_is_refused(path: Path) -> None:
    tamper(path, "ALTER TABLE items RENAME TO real", "CREATE VIEW items AS SELECT * FROM real")
    with pytest.raises(errors.ArchiveFormatError, match="which no archive has"):
        Archive.open(path)


def test_statistics_that_other_tools_leave_are_harmless(path: Path) -> None:
    tamper(path, "ANALYZE")
    assert read_all(path)[0] == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM meta WHERE key = 'nbytes'",
        "INSERT INTO meta VALUES ('more', 1)",
        "UPDATE meta SET value = 17 WHERE key = 'nbytes'",
        "UPDATE meta SET value = 0 WHERE key = 'nbytes'",
        "UPDATE meta SET value = 'x' WHERE key = 'nbytes'",
        "UPDATE meta SET value = x'00' WHERE key = 'fingerprint'",
        "UPDATE meta SET value = 'text' WHERE key = 'fingerprint'",
        "UPDATE meta SET value = zeroblob(32) WHERE key = 'fingerprint'",
        "UPDATE meta SET value = 5 WHERE key = 'manifest'",
        "UPDATE meta SET value = '{}' WHERE key = 'manifest'",
        "UPDATE meta SET value = CAST(x'ff' AS TEXT) WHERE key = 'manifest'",
        "UPDATE meta SET value = 'text' WHERE key = 'tables'",
        "UPDATE meta SET value = x'00' WHERE key = 'tables'",
        "UPDATE meta SET value = NULL WHERE key = 'uid'",
        "UPDATE meta SET value = char(10) WHERE key = 'profile_id'",
        "UPDATE meta SET key = NULL WHERE key = 'uid'",
    ],
)
def test_a_wrong_meta_is_refused_on_opening(path: Path, statement: str) -> None:
    tamper(path, statement)
    with pytest.raises(errors.ArchiveFormatError, match=r"photos\.sems"):
        Archive.open(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = 'x' WHERE key = 'generation'",
        "UPDATE meta SET value = -1 WHERE key = 'next_id'",
        "UPDATE items SET path = '' WHERE id = 3",
        "UPDATE items SET path = CAST('3.jpg' AS BLOB) WHERE id = 3",
        "UPDATE items SET path = 'a' || char(0) WHERE id = 3",
        "UPDATE items SET path = CAST(x'ff' AS TEXT) WHERE id = 3",
        "UPDATE items SET path = hex(zeroblob(20000)) WHERE id = 3",
        "UPDATE items SET id = -1 WHERE id = 3",
        "UPDATE items SET mtime_ns = 'x' WHERE id = 3",
        "UPDATE items SET size = 1.5 WHERE id = 3",
        "UPDATE items SET width = -1 WHERE id = 3",
        "UPDATE items SET content_hash = zeroblob(65) WHERE id = 3",
        "UPDATE items SET fidelity = 256 WHERE id = 3",
        "UPDATE items SET fidelity = 'x' WHERE id = 3",
        "UPDATE items SET status = 'maybe' WHERE id = 3",
        "UPDATE items SET error = 'no' WHERE id = 3",
        "UPDATE items SET error = NULL WHERE status = 'failed'",
        "UPDATE codes SET block = -1",
        "UPDATE codes SET block = 'x'",
        "UPDATE codes SET block = 1",
        "UPDATE codes SET width = 8",
        "UPDATE codes SET count = count - 1",
        "UPDATE codes SET count = 0",
        "UPDATE codes SET count = 'x'",
        "UPDATE codes SET crc = crc + 1",
        "UPDATE codes SET present = 'x'",
        "UPDATE codes SET present = zeroblob(128)",
        "UPDATE codes SET present = zeroblob(127)",
        "UPDATE codes SET data = zeroblob(length(data))",
        "UPDATE codes SET data = substr(data, 2)",
        "UPDATE codes SET data = 'x'",
    ],
)
def test_a_wrong_value_is_refused_and_found_by_verify(path: Path, statement: str) -> None:
    tamper(path, statement)
    with Archive.open(path) as archive:
        problems = archive.verify()
    assert problems
    assert not any("\n" in line for line in problems)
    with pytest.raises(errors.ArchiveFormatError, match=r"photos\.sems"):
        read_all(path)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM items WHERE id = 3", "1 codes belong to no item"),
        ("UPDATE items SET status = 'failed', error = 'no' WHERE id = 3", "1 codes belong to no item"),
        ("UPDATE items SET status = 'ok', error = NULL WHERE id = 40", "1 items are ok but have no code"),
        ("DELETE FROM codes", "40 items are ok but have no code, such as item 0"),
        ("UPDATE meta SET value = 3 WHERE key = 'next_id'", "next id is not above the last, 40"),
    ],
)
def test_verify_finds_what_does_not_belong_together(path: Path, statement: str, problem: str) -> None:
    tamper(path, statement)
    with Archive.open(path) as archive:
        assert [line for line in archive.verify() if problem in line]


def test_an_item_without_its_code_is_damage(path: Path, tmp_path: Path) -> None:
    tamper(path, "DELETE FROM codes")
    with Archive.open(path) as archive, pytest.raises(errors.ArchiveFormatError, match="no code"):
        archive.code("3.jpg")
    target = make(tmp_path / "target.sems")
    with Archive.open(target, write=True) as archive:
        with pytest.raises(errors.ArchiveFormatError, match=r"photos\.sems: damaged"):
            archive.merge_from(path)
        assert list(archive.items()) == []


def test_ids_do_not_run_over(path: Path) -> None:
    tamper(path, f"UPDATE meta SET value = {2**40} WHERE key = 'next_id'")
    with Archive.open(path, write=True) as archive:
        with pytest.raises(errors.ArchiveFormatError, match="next id"):
            put_paths(archive, ["new"])
        put_paths(archive, ["3.jpg"])  # needs no new id


def test_a_used_id_is_not_overwritten_silently(path: Path) -> None:
    """`next_id` set back makes new items fall on old ids; verify warns before."""
    tamper(path, "UPDATE meta SET value = 3 WHERE key = 'next_id'")
    with Archive.open(path, write=True) as archive:
        with pytest.raises(errors.ArchiveFormatError):
            put_paths(archive, ["new.jpg"])
        assert archive.code("3.jpg") == code_of("3.jpg")


# ---------------------------------------------------------------- damage


def test_a_flipped_bit_in_the_codes_is_always_found(path: Path) -> None:
    data = path.read_bytes()
    start = data.index(code_of("39.jpg")) - 39 * NBYTES
    assert data[start : start + NBYTES] == code_of("0.jpg")
    for byte in range(start, start + 40 * NBYTES):
        broken = bytearray(data)
        broken[byte] ^= 1 << byte % 8
        path.unlink()
        path.write_bytes(broken)
        with Archive.open(path) as archive:
            assert any("checksum" in line for line in archive.verify())
            with pytest.raises(errors.ArchiveFormatError, match="checksum"):
                archive.codes()


def test_a_bit_flipped_anywhere_never_gives_wrong_codes_unnoticed(path: Path) -> None:
    """Structure, text and numbers may be hit too: codes are right, or an error or verify tells."""
    data, rng, seen = path.read_bytes(), random.Random(0), Counter[str]()
    truth = read_all(path)[1]
    for _ in range(1500):
        bit = rng.randrange(8 * len(data))
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        path.unlink()  # some file systems flush a file that is overwritten
        path.write_bytes(broken)
        try:
            problems, codes = read_all(path)
        except errors.ArchiveFormatError:
            seen["refused"] += 1
            continue
        assert codes == truth or problems
        seen["warned" if problems else "harmless"] += 1
    assert min(seen["refused"], seen["harmless"]) > 0


@pytest.mark.parametrize("keep", [1, 99, 100, 512, 4096, 4097, 8192, 12288])
def test_a_truncated_file_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(errors.ArchiveFormatError):
        read_all(path)


def test_a_tree_that_leads_to_one_page_again_and_again_is_not_read_for_ever(tmp_path: Path) -> None:
    """Every pointer of the root is bent to its first child: each row would come many times."""
    path = make(tmp_path / "deep.sems", [f"{i}.jpg" for i in range(5000)])
    with closing(sqlite3.connect(path)) as connection:
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master"))
    data = bytearray(path.read_bytes())
    for name in ("items", "sqlite_autoindex_items_1"):
        page = (roots[name] - 1) * 4096
        cells = int.from_bytes(data[page + 3 : page + 5], "big")
        pointers = [
            page + int.from_bytes(data[page + 12 + 2 * i : page + 14 + 2 * i], "big") for i in range(cells)
        ]
        assert len(pointers) > 10
        for at in [*pointers, page + 8]:
            data[at : at + 4] = data[pointers[0] : pointers[0] + 4]
    path.write_bytes(data)
    with Archive.open(path) as archive:
        assert any("tree is damaged" in line for line in archive.verify())
        for ask in (archive.known, lambda: list(archive.items())):
            with pytest.raises(errors.ArchiveFormatError, match="tree is damaged"):
                ask()


def test_a_hundred_thousand_random_files_raise_our_errors_only(tmp_path: Path, path: Path) -> None:
    """98,000 random files (most end at the header) and 2,000 archives with random changes."""
    rng, seen, target = random.Random(0), Counter[str](), tmp_path / "fuzz.sems"
    real = path.read_bytes()
    for turn in range(100_000):
        data = mangled(rng, real) if turn % 50 == 0 else noise(rng)
        target.unlink(missing_ok=True)  # some file systems flush a file that is overwritten
        target.write_bytes(data)
        try:
            problems, _ = read_all(target)
            seen["warned" if problems else "unharmed"] += 1
        except errors.SememeError as error:
            seen[type(error).__name__] += 1
    assert seen["ArchiveFormatError"] > 98_000
    # InputError: a damaged index no longer finds a path that the table still has
    assert set(seen) <= {"ArchiveFormatError", "InputError", "warned", "unharmed"}
    assert seen["warned"] > 10


def noise(rng: random.Random) -> bytes:
    head = rng.choice((b"", b"SQLite format 3\0"))
    body = bytearray(head + rng.randbytes(rng.randrange(600)))
    if len(body) > 72 and rng.random() < 0.2:
        body[68:72] = b"SEMS"
    return bytes(body)


def mangled(rng: random.Random, real: bytes) -> bytes:
    data = bytearray(real)
    for _ in range(rng.choice((1, 3, 30))):
        at = rng.randrange(len(data))
        size = rng.choice((1, 1, 4, 100))
        data[at : at + size] = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))
    data[68:72] = b"SEMS"
    return bytes(data[: rng.choice((len(data), len(data), rng.randrange(len(data))))])


def test_the_schema_is_the_one_in_format_md() -> None:
    text = (Path(__file__).parent.parent / "FORMAT.md").read_text()
    for statement in STATEMENTS:
        assert f"\n{statement}\n" in text


def test_profile_tables_travel_whole(tmp_path: Path) -> None:
    tables = np.random.default_rng(0).bytes(3_000_000)
    with Archive.create(tmp_path / "a.sems", PROFILE._replace(tables=tables), NBYTES):
        pass
    with Archive.open(tmp_path / "a.sems") as archive:
        assert archive.profile.tables == tables
    with closing(sqlite3.connect(tmp_path / "a.sems")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
