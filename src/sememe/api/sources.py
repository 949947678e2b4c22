"""Whatever a caller calls codes, as rows of payloads that decode slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sememe.api.files import read_records
from sememe.api.identity import check_archive, check_record
from sememe.api.results import Encoded
from sememe.archive import Archive
from sememe.archive.connections import MAGIC
from sememe.bitstream import Record
from sememe.errors import UsageError
from sememe.profile import Profile
from sememe.types import Codes, Embeddings

CodesLike: TypeAlias = (
    Encoded | Codes | bytes | Record | Archive | str | Path | Sequence[bytes] | Sequence[Record]
)
"""Codes in any form: from `encode`, a uint8 matrix, one code or record or several, an archive, or a path."""


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """Codes of n images; slicing it decodes."""

    profile: Profile
    codes: Codes
    """(n, width) uint8, padded with zeros."""
    lengths: NDArray[np.int64]
    """(n,) bytes of each."""
    names: tuple[str | None, ...]

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
        codes = archive.codes()[1]
        names = tuple(item.path for item in archive.items("ok"))
    return Source(profile, codes, np.full(len(codes), archive.nbytes), names)


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
