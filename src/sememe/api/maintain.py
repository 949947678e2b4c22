"""Archives and `.sem` files as wholes: verify, truncate, merge."""

from __future__ import annotations

import fnmatch
import glob
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sememe.api.files import read_records, read_sem, truncate_record, write_sem
from sememe.api.identity import check_archive, for_archive, profile_of_archive, profile_of_record
from sememe.api.sources import is_archive
from sememe.api.universal import find_profile
from sememe.archive import Archive, storable
from sememe.errors import IntegrityError, ProfileMismatchError, UnknownProfileError, UsageError
from sememe.index import chunks
from sememe.profile import Profile
from sememe.types import Codes


def verify(path: str | Path, *, profile: str | Path | None = None) -> list[str]:
    """Look for anything wrong with an archive or a `.sem` file.

    Parameters
    ----------
    path : str or Path
    profile : str or Path, optional
        Profile that must have made it; needed for a `.sem` file of a custom profile.

    Returns
    -------
    list of str
        Problems, one line each; empty if every checksum holds and every code decodes.

    Raises
    ------
    InputError, StorageError
        The file cannot be read.
    UnknownProfileError
        Its profile is not here, so that nothing can be said of its codes.
    """
    path = Path(path)
    try:
        return list(_archive_problems(path, profile) if is_archive(path) else _file_problems(path, profile))
    except IntegrityError as exc:
        return [str(exc).removeprefix(f"{path}: ")]


def truncate(source: str | Path, target: str | Path, nbytes: int) -> None:
    """Write a `.sem` file or an archive anew with its codes cut to `nbytes`; no image and no model is needed.

    Raises
    ------
    UsageError
        `nbytes` is longer than the codes, or not positive.
    StorageError
        The target is an archive that exists, or cannot be written.
    InputError, IntegrityError
        The source cannot be read or is damaged.
    """
    if is_archive(Path(source)):
        with Archive.open(source) as archive:
            archive.truncate_to(target, nbytes)
    else:
        write_sem(target, truncate_record(read_sem(source), nbytes))


def merge(sources: Sequence[str | Path], target: str | Path) -> Archive:
    """Put the records of several archives into one, which is made if it does not exist.

    Returns
    -------
    Archive
        The target, open for writing; close it or use it in a ``with``.

    Raises
    ------
    UsageError
        There is nothing to merge.
    ProfileMismatchError
        Archives differ in profile or length of codes; nothing was stored.
    StorageError, ArchiveFormatError
        An archive cannot be read or written, or is damaged.
    """
    if not sources:
        raise UsageError("nothing to merge: name at least one archive")
    exists = Path(target).exists()
    archive = Archive.open(target, write=True) if exists else _like(sources[0], target)
    try:
        archive.merge_from(*sources)
    except BaseException:
        archive.close()
        if not exists:
            Path(target).unlink(missing_ok=True)
        raise
    return archive


def remove(source: str | Path, names: Sequence[str]) -> tuple[int, list[str]]:
    """Forget images of an archive, in one transaction; their codes are gone.

    Parameters
    ----------
    source : str or Path
    names : sequence of str
        Paths as the archive knows them; folders, which stand for all below; or patterns with ``*``, ``?`` or
        ``[]``, of which ``*`` also stands for ``/``. A name that is a path here is never taken for a pattern.

    Returns
    -------
    removed : int
        Images, those that had failed included.
    missed : list of str
        Names that nothing answers to.

    Raises
    ------
    StorageError, ArchiveFormatError
        The archive cannot be written or is damaged.
    """
    with Archive.open(source, write=True) as archive:
        found: set[str] = set()
        missed = []
        exact = archive.look_up(name for name in names if storable(name))
        for name in names:
            matches = {name} if name in exact else _matching(archive, name)
            found |= matches
            if not matches:
                missed.append(name)
        return archive.remove(found) if found else 0, missed


def compact(source: str | Path) -> tuple[int, int]:
    """Rewrite an archive without the room of what was removed; return its bytes before and after.

    Raises
    ------
    StorageError, ArchiveFormatError
        The archive cannot be written (DiskFullError: it takes free room of its own size), or is damaged.
    """
    with Archive.open(source, write=True) as archive:
        return archive.compact()


def _matching(archive: Archive, name: str) -> set[str]:
    folder = name.rstrip("/") + "/"
    matches = re.compile(fnmatch.translate(name)).match
    magic = glob.has_magic(name)
    return {path for path in archive.paths() if path.startswith(folder) or (magic and matches(path))}


def open_archive(
    target: str | Path, profile: Profile, nbytes: int, *, mean_bytes: float | None = None
) -> Archive:
    """Open an archive to add codes of one profile and length, or make it.

    Parameters
    ----------
    target : str or Path
    profile : Profile
    nbytes : int
        Length of every code; of the longest one where lengths are mixed.
    mean_bytes : float, optional
        Lengths are mixed, and average to this; what the archive has, if it exists and this is not given.

    Raises
    ------
    ProfileMismatchError
        It was made with another profile, length of codes or mean.
    StorageError, ArchiveFormatError
        It cannot be made or written, or is no archive.
    """
    if not Path(target).exists():
        return Archive.create(target, for_archive(profile), nbytes, mean_bytes=mean_bytes)
    archive = Archive.open(target, write=True)
    try:
        check_archive(archive, profile)
        _check_length(archive, nbytes)
        _check_mean(archive, mean_bytes)
    except ProfileMismatchError:
        archive.close()
        raise
    return archive


def _check_length(archive: Archive, nbytes: int) -> None:
    theirs = archive.nbytes
    if theirs != nbytes:
        raise ProfileMismatchError(
            f"{archive.path}: holds codes of {theirs} bytes, not {nbytes}; use --bytes {theirs}, "
            "or encode into a new archive"
        )


def _check_mean(archive: Archive, mean_bytes: float | None) -> None:
    theirs = archive.mean_bytes
    if mean_bytes is not None and mean_bytes != theirs:
        kind = f"codes of {archive.nbytes} bytes each" if theirs is None else f"{theirs:g} bytes on average"
        raise ProfileMismatchError(
            f"{archive.path}: holds {kind}, not {mean_bytes:g} on average; leave --mean-bytes away, "
            "or encode into a new archive"
        )


def _like(source: str | Path, target: str | Path) -> Archive:
    with Archive.open(source) as archive:
        return Archive.create(target, archive.profile, archive.nbytes, mean_bytes=archive.mean_bytes)


def _archive_problems(path: Path, name: str | Path | None) -> Iterator[str]:
    with Archive.open(path) as archive:
        yield from archive.verify()
        profile = profile_of_archive(archive) if name is None else find_profile(name)
        check_archive(archive, profile)
        if archive.nbytes > profile.max_bytes:
            yield f"codes of {archive.nbytes} bytes are longer than profile {profile.profile_id} makes"
            return
        _, codes, lengths = archive.coded()
        for length in np.unique(lengths).tolist():
            same = np.flatnonzero(lengths == length)
            for rows in chunks(len(same)):
                yield from _code_problems(profile, codes[same[rows], :length], same[rows])


def _file_problems(path: Path, name: str | Path | None) -> Iterator[str]:
    for number, record in enumerate(read_records(path)):
        try:
            profile = profile_of_record(record, profile=name)
        except UnknownProfileError as exc:
            raise UnknownProfileError(f"{path}: {exc}") from exc
        if len(record.payload) > profile.max_bytes:
            yield f"record {number}: {len(record.payload)} bytes, more than {profile.profile_id} makes"
        else:
            code = np.frombuffer(record.payload, np.uint8)[None]
            yield from _code_problems(profile, code, np.array([number]))


def _code_problems(profile: Profile, codes: Codes, numbers: NDArray[np.intp]) -> Iterator[str]:
    """Decode, and name the rows that do not become unit vectors."""
    norms = np.linalg.norm(profile.decode(codes), axis=1)
    for row in np.flatnonzero(~(np.abs(norms - 1) < 1e-3)):
        yield f"code {numbers[row]} ({codes[row].tobytes().hex()}) decodes to no unit vector"
