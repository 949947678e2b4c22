"""Exports of archives (Parquet), into an archive again: same codes, same items, same profile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sememe import profile as profiles
from sememe.archive import Archive, interchange
from sememe.archive.interchange import Origin
from sememe.batch import arrow
from sememe.batch.importing.store import Coded, Store
from sememe.batch.progress import Progress, progress_bar
from sememe.batch.report import Report
from sememe.errors import ArchiveFormatError, InputError, ProfileMismatchError, UsageError
from sememe.profile import Profile

_ROWS = 8192


def import_exports(
    sources: Sequence[str | Path], target: str | Path, *, progress: Progress = None
) -> tuple[Report, Origin]:
    """Make an archive of what `export` wrote as Parquet, or add to one.

    A rerun takes only rows whose paths the archive does not know, or that failed before.

    Parameters
    ----------
    sources : sequence of str or Path
        Parquet files of one profile and one length of codes.
    target : str or Path
    progress : see `encode_paths`

    Returns
    -------
    report : Report
        Rows that failed before they were exported are failures here too. A damaged row is a failure under the
        file's name and its number; a file that ends in the middle is one under its own name.
    origin : Origin
        The profile, and the length of the codes.

    Raises
    ------
    UsageError
        There is no source.
    InputError
        The first source cannot be read.
    ArchiveFormatError
        A source says nothing, or the wrong thing, of its profile.
    ProfileMismatchError
        The tables are not those of the profile that is named, or sources or target differ.
    StorageError
        The target cannot be written.
    """
    if not sources:
        raise UsageError("nothing to import: name at least one Parquet file")
    started, paths = time.monotonic(), list(map(Path, sources))
    origins = [read_origin(path) for path in paths]
    for path, origin in zip(paths, origins, strict=True):
        if _mark(origin) != _mark(origins[0]):
            raise ProfileMismatchError(f"{path}: has another profile or length of codes than {paths[0]}")
    with _open(target, origins[0], paths[0]) as archive, progress_bar(progress, _count(paths)) as show:
        store = Store(archive)
        for path in paths:
            try:
                for first, rows in _row_groups(path):
                    store.put(list(_items(path, first, rows, store, archive.nbytes)))
                    show(len(rows))
            except InputError as exc:
                store.fail(str(path), str(exc))
    return store.report(time.monotonic() - started), origins[0]


def read_origin(path: Path) -> Origin:
    """Read what made the codes of an export, and check that the profile is what it says.

    Raises
    ------
    InputError
        The file cannot be read.
    ArchiveFormatError, ProfileFormatError
        It is no export, or a damaged one.
    ProfileMismatchError
        The tables are those of another profile.
    UnknownProfileError
        It names a shipped profile that this version does not have.
    """
    with arrow.open_parquet(path) as file:
        said = arrow.metadata_of(file)
        missing = [name for name in interchange.COLUMNS if name not in file.schema_arrow.names]
    if missing:
        raise ArchiveFormatError(f"{path}: lacks the columns {', '.join(missing)}; export it again")
    try:
        origin = interchange.read_metadata(said)
    except ArchiveFormatError as exc:
        raise ArchiveFormatError(f"{path}: {exc}") from exc
    wanted = origin.profile
    if wanted.tables is None:
        found = profiles.load(wanted.profile_id) if wanted.profile_id in profiles.available() else None
    else:
        found = Profile.from_bytes(wanted.tables, source=str(path))
    if found is None or found.fingerprint != wanted.fingerprint:
        raise ProfileMismatchError(
            f"{path}: made with {wanted.profile_id} {wanted.fingerprint.hex()[:8]}, which is not here; "
            "use the version of sememe that made it"
        )
    return origin


def _open(target: str | Path, origin: Origin, source: Path) -> Archive:
    if not Path(target).exists():
        return Archive.create(target, origin.profile, origin.nbytes, mean_bytes=origin.mean_bytes)
    archive = Archive.open(target, write=True)
    if (archive.profile.fingerprint, archive.nbytes, archive.mean_bytes is None) != _mark(origin):
        archive.close()
        raise ProfileMismatchError(f"{source}: has another profile or length of codes than {target}")
    return archive


def _mark(origin: Origin) -> tuple[bytes, int, bool]:
    return origin.profile.fingerprint, origin.nbytes, origin.mean_bytes is None


def _row_groups(path: Path) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    first = 0
    with arrow.open_parquet(path) as file:
        for batch in arrow.batches(file, interchange.COLUMNS, _ROWS):
            rows = batch.to_pylist()
            yield first, rows
            first += len(rows)


def _items(path: Path, first: int, rows: list[dict[str, Any]], store: Store, longest: int) -> Iterator[Coded]:
    read: list[Coded | None] = []
    for number, row in enumerate(rows, start=first):
        try:
            read.append(interchange.from_row(row, longest))
        except ArchiveFormatError as exc:
            store.fail(f"{path}#{number}", str(exc))
            read.append(None)
    whole = [one for one in read if one is not None]
    wanted = store.wanted([item.path for item, _ in whole], lambda row: f"{path}#{first + row}")
    yield from (whole[row] for row in wanted)


def _count(paths: Sequence[Path]) -> int:
    count = 0
    for path in paths:
        with suppress(InputError), arrow.open_parquet(path) as file:
            count += file.metadata.num_rows
    return count
