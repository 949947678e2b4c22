"""Whatever a caller calls codes, as rows of payloads that decode slice by slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from sememe.api.files import read_records
from sememe.api.identity import check_archive, check_record
from sememe.api.results import Encoded
from sememe.archive import Archive
from sememe.archive.connections import MAGIC
from sememe.bitstream import Record
from sememe.errors import UsageError
from sememe.index import LARGE, Cache, Shortlist, Tell
from sememe.metrics.calibration import Background
from sememe.profile import Profile
from sememe.types import Codes, Embeddings

CodesLike: TypeAlias = (
    "Encoded | Codes | bytes | Record | Archive | str | Path | Sequence[bytes] | Sequence[Record] | Source"
)
"""Codes in any form: from `encode`, a uint8 matrix, one code or record or several, an archive, or a path;
or what `read_source` made of one, which is worth keeping when it is searched again and again."""


class Paths(Sequence[str]):
    """Paths of the rows of a large archive, read when asked for: a search needs ten of a million."""

    def __init__(self, archive: Path, ids: NDArray[np.int64]) -> None:
        self._archive, self._ids = archive, ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[str]: ...

    def __getitem__(self, row: int | slice) -> str | Sequence[str]:
        if isinstance(row, slice):
            return Paths(self._archive, self._ids[row])
        with Archive.open(self._archive) as archive:
            return archive.path_of(int(self._ids[row]))

    def __iter__(self) -> Iterator[str]:
        with Archive.open(self._archive) as archive:
            for item in self._ids.tolist():
                yield archive.path_of(item)


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """Codes of n images; slicing it decodes."""

    profile: Profile
    codes: Codes
    """(n, width) uint8, padded with zeros."""
    lengths: NDArray[np.int64]
    """(n,) bytes of each."""
    names: Sequence[str | None]
    ids: NDArray[np.int64] | None = None
    """(n,) ids of an archive's items; None for codes from elsewhere."""
    cache: Cache | None = None
    """Where an archive keeps what makes its search fast."""

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Embeddings:
        """Decode some rows: (m, d) float32."""
        codes, lengths = self.codes[rows], self.lengths[rows]
        vectors = np.empty((len(codes), self.profile.dim), np.float32)
        for length in np.unique(lengths):
            same = lengths == length
            vectors[same] = self.profile.decode(codes[same, :length])
        return vectors

    def cut(self, nbytes: int) -> Source:
        """Return the same codes, the first bytes of each alone."""
        cache = None if self.cache is None else replace(self.cache, nbytes=nbytes)
        lengths = np.minimum(self.lengths, nbytes)
        return replace(self, codes=self.codes[:, :nbytes], lengths=lengths, cache=cache)

    def shortlist(
        self, background: Background, tell: Tell | None = None, *, large: int | None = None
    ) -> Shortlist | None:
        """Load or make the shortlist of an archive with `large` images or more; all else is scanned whole."""
        if self.cache is None or len(self) < (LARGE if large is None else large):
            return None
        return self.cache.shortlist(self, background, tell)


def read_source(codes: CodesLike, profile: Profile) -> Source:
    """Collect codes of one profile.

    Raises
    ------
    UsageError
        Not codes, or longer than the profile's.
    ProfileMismatchError
        Made with another profile.
    FormatError, ArchiveFormatError, InputError
        A file cannot be read or is damaged.
    InputError
        An input of an `Encoded` had failed.
    """
    if isinstance(codes, Source):
        return codes
    if isinstance(codes, str | Path):
        return _from_path(Path(codes), profile)
    if isinstance(codes, Archive):
        return _from_archive(codes, profile)
    if isinstance(codes, np.ndarray):
        return _from_matrix(codes, profile)
    if isinstance(codes, Encoded):
        return _from_payloads(list(codes), profile, codes.names)
    items = [codes] if isinstance(codes, bytes | Record) else list(codes)
    return _from_payloads([_payload(item, profile) for item in items], profile)


def is_archive(path: Path) -> bool:
    """Whether a file begins as an archive does."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False  # whoever reads it next says why it cannot be read


def _from_path(path: Path, profile: Profile) -> Source:
    if is_archive(path):
        with Archive.open(path) as archive:
            return _from_archive(archive, profile)
    records = read_records(path)
    return _from_payloads([_payload(r, profile) for r in records], profile, (str(path),) * len(records))


def _from_archive(archive: Archive, profile: Profile) -> Source:
    check_archive(archive, profile)
    with archive.snapshot():
        ids, codes, lengths = archive.coded()
        cache = Cache(archive.path, profile.fingerprint, archive.nbytes, archive.outline())
        names: Sequence[str] = Paths(archive.path, ids)
        if len(codes) < LARGE:
            names = tuple(item.path for item in archive.items("ok"))
    return Source(profile, codes, lengths, names, ids, cache)


def _from_matrix(codes: Codes, profile: Profile) -> Source:
    if codes.ndim != 2 or codes.dtype != np.uint8 or codes.shape[1] > profile.max_bytes:
        raise UsageError(
            f"codes are uint8 (n, 1 to {profile.max_bytes}), not {codes.dtype} {codes.shape}: one code a row"
        )
    return Source(profile, codes, np.full(len(codes), codes.shape[1]), (None,) * len(codes))


def _from_payloads(
    payloads: Sequence[bytes], profile: Profile, names: tuple[str | None, ...] | None = None
) -> Source:
    lengths = np.array([len(payload) for payload in payloads], np.int64)
    width = int(lengths.max(initial=0))
    if width > profile.max_bytes:
        raise UsageError(f"a code of {width} bytes is longer than profile {profile.profile_id} makes")
    codes = np.frombuffer(b"".join(p.ljust(width, b"\0") for p in payloads), np.uint8)
    return Source(profile, codes.reshape(len(payloads), width), lengths, names or (None,) * len(payloads))


def _payload(item: object, profile: Profile) -> bytes:
    if isinstance(item, Record):
        check_record(item, profile)
        return item.payload
    if isinstance(item, bytes):
        return item
    raise UsageError(f"a {type(item).__name__} is not a code: give bytes, a record, a uint8 matrix or a path")
