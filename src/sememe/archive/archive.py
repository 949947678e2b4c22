"""The archive: reading, and every way to change it, one transaction each."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from sememe.archive import schema
from sememe.archive.blocks import Lengths
from sememe.archive.border import border, transaction
from sememe.archive.connections import compact, new_file
from sememe.archive.copying import copy_truncated, take_newer
from sememe.archive.reading import BUSY_TIMEOUT, Reader
from sememe.archive.records import ArchiveProfile, NewItem, item_from_new
from sememe.archive.writing import count_change, delete, store
from sememe.errors import ProfileMismatchError, ReadOnlyError, UsageError
from sememe.types import Codes

PathLike = str | os.PathLike[str]


class Archive(Reader):
    """Many records of one profile in one SQLite file.

    Make one with `Archive.create` or `Archive.open`; use it as a context manager. An archive knows
    no codec: codes are opaque bytes. One process writes at a time, any number read meanwhile.
    """

    _writable = False

    @classmethod
    def create(
        cls, path: PathLike, profile: ArchiveProfile, nbytes: int, *, mean_bytes: float | None = None
    ) -> Archive:
        """Make a new archive, whole or not at all, and open it for writing.

        Parameters
        ----------
        path : path
            Must not exist.
        profile : ArchiveProfile
            With `tables` if the profile is not shipped.
        nbytes : int
            Length of every code, 1..255; of the longest possible one with `mean_bytes`.
        mean_bytes : float, optional
            Codes have mixed lengths that should average to this.

        Raises
        ------
        UsageError
            `profile`, `nbytes` or `mean_bytes` is out of range.
        StorageError
            `path` exists, or cannot be made (ReadOnlyError, DiskFullError).
        """
        schema.check_new(profile, nbytes, mean_bytes)
        with new_file(Path(path)) as connection:
            schema.write(connection, profile, nbytes, mean_bytes)
        return cls.open(path, write=True)

    @classmethod
    def open(cls, path: PathLike, *, write: bool = False, busy_timeout: float = BUSY_TIMEOUT) -> Archive:
        """Open an archive.

        Parameters
        ----------
        path : path
            An existing archive.
        write : bool
            Whether it will be written; readers need no permission to write.
        busy_timeout : float
            Seconds to wait for another writer before ArchiveBusyError.

        Raises
        ------
        ArchiveFormatError
            Not an archive, one of another version, or damaged.
        StorageError
            It is missing or cannot be read, or, with `write`, not be written (ReadOnlyError).
        """
        archive = cls(Path(path), write=write, busy_timeout=busy_timeout)
        archive._writable = write
        return archive

    def put(self, items: Sequence[NewItem], codes: Codes, lengths: Lengths | None = None) -> None:
        """Store inputs; when this returns, they are on the disk.

        A path that is known already keeps its id and is replaced in place.

        Parameters
        ----------
        items : sequence of NewItem
            Those with an `error` have failed and have no code. Of equal paths the last counts.
        codes : (n, nbytes) uint8
            One row for every item *without* an error, in their order.
        lengths : (n,) int64, optional
            Bytes of each code, where lengths are mixed; `nbytes` if not given.

        Raises
        ------
        UsageError
            Shapes do not agree, or a value is out of range.
        ArchiveBusyError, DiskFullError, ReadOnlyError, StorageError
            Nothing of this call was stored.
        """
        self._require_writable()
        now = int(time.time())
        rows = [item_from_new(item, now) for item in items]
        expected = (sum(row.status == "ok" for row in rows), self.nbytes)
        if codes.dtype != np.uint8 or codes.shape != expected:
            raise UsageError(f"codes are {codes.dtype} {codes.shape}; the items ask for uint8 {expected}")
        if lengths is None:
            lengths = np.full(len(codes), self.nbytes)
        if lengths.shape != expected[:1] or not np.isin(lengths, self.widths).all():
            raise UsageError(f"{self.path}: every code has a length, {self.widths[0]} to {self.nbytes} bytes")
        with transaction(self.connection, self.path):
            if store(self.connection, rows, codes, lengths, self.widths):
                count_change(self.connection)

    def settle(self, slope: float) -> None:
        """Fix the slope by which codes of mixed lengths are cut, once for all codes to come.

        Raises
        ------
        UsageError
            All codes have one length, or the slope is out of range.
        """
        self._require_writable()
        if self.mean_bytes is None or not 0 <= slope < 1e9:
            raise UsageError(f"{self.path}: a slope of {slope} is of no use here")
        with transaction(self.connection, self.path):
            schema.set_slope(self.connection, slope)

    def compact(self) -> tuple[int, int]:
        """Give the room of removed and replaced records back; return the bytes before and after.

        Nothing is lost when it is stopped: the archive is then as it was.

        Raises
        ------
        ArchiveBusyError, DiskFullError, ReadOnlyError, StorageError
            Nothing changed. It takes free room of about the archive's size.
        """
        self._require_writable()
        with border(self.path):
            return compact(self.connection, self.path)

    def remove(self, paths: Iterable[str]) -> int:
        """Forget items and their codes; return how many there were. Unknown paths are skipped."""
        self._require_writable()
        with transaction(self.connection, self.path):
            return delete(self.connection, paths, self.widths)

    def merge_from(self, *sources: PathLike) -> int:
        """Take over the records of other archives, each source in one transaction.

        A path that both hold keeps the newer record: the later mtime, then ok before failed, then
        the later time of encoding; of equal ones the one that is here.

        Returns
        -------
        int
            Records taken over.

        Raises
        ------
        ProfileMismatchError
            A source has another profile or length of codes; nothing of any source was stored.
        """
        self._require_writable()
        for source in sources:
            with Reader(Path(source), write=False, busy_timeout=BUSY_TIMEOUT) as other:
                _require_same(self, other)
        return sum(self._merge_one(Path(source)) for source in sources)

    def truncate_to(
        self, target: PathLike, nbytes: int, *, fidelity: Sequence[int | None] | None = None
    ) -> None:
        """Write a new archive that holds this one's codes cut to `nbytes`.

        Parameters
        ----------
        target : path
            Must not exist; it appears whole or not at all.
        nbytes : int
            1..`self.nbytes`.
        fidelity : sequence of int or None, optional
            New fidelity bytes, aligned with `codes`. Without them the fidelities of codes that
            were cut become unknown, because the stored ones speak of the longer codes.

        Raises
        ------
        UsageError
            `nbytes` is not in range, or `fidelity` has another length than `codes`.
        StorageError
            `target` exists or cannot be written.
        """
        if not 1 <= nbytes <= self.nbytes:
            raise UsageError(f"{self.path}: codes of {self.nbytes} bytes cannot be cut to {nbytes}")
        with self.snapshot(), new_file(Path(target)) as connection:
            mean = None if self.mean_bytes is None else min(self.mean_bytes, nbytes)
            schema.write(connection, self.profile, nbytes, mean)
            copy_truncated(self, connection, nbytes, fidelity)

    def _merge_one(self, source: Path) -> int:
        with Reader(source, write=False, busy_timeout=BUSY_TIMEOUT) as other, other.snapshot():
            _require_same(self, other)
            with transaction(self.connection, self.path):
                return take_newer(self, other)

    def _require_writable(self) -> None:
        if not self._writable:
            raise ReadOnlyError(f"{self.path}: was opened for reading; open it with write=True")


def _require_same(target: Reader, source: Reader) -> None:
    ours, theirs = target.profile.fingerprint, source.profile.fingerprint
    if ours != theirs:
        raise ProfileMismatchError(
            f"{source.path}: made with profile {source.profile.profile_id} {theirs.hex()[:8]}, "
            f"{target.path} with {target.profile.profile_id} {ours.hex()[:8]}; encode again with one of them"
        )
    if target.widths != source.widths:
        raise ProfileMismatchError(
            f"{source.path}: holds codes of {_told(source)} bytes, {target.path} of {_told(target)}; "
            "truncate the longer ones first"
        )


def _told(archive: Reader) -> str:
    return str(archive.nbytes) if archive.mean_bytes is None else f"1 to {archive.nbytes}"
