"""A folder to an archive: only what is new, changed or failed before; nothing stops for one bad image."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.archive import Archive, NewItem
from sememe.batch.inputs import Found, expand
from sememe.batch.progress import Progress, progress_bar
from sememe.batch.reading import Read, plain, read_ahead, read_input, touched
from sememe.batch.report import Failure, Report
from sememe.batch.sink import Sink
from sememe.errors import InputError, SememeError, UsageError

if TYPE_CHECKING:
    from sememe.api import Codec, Encoded
    from sememe.archive.records import Known

BATCH = 16
"""Pictures embedded at once."""

COMMIT_ITEMS = 1024
COMMIT_SECONDS = 5.0


def encode_paths(
    inputs: str | Path | Iterable[str | Path],
    target: str | Path,
    codec: Codec,
    *,
    workers: int = 2,
    progress: Progress = None,
) -> Report:
    """Encode images into an archive, which is made if it does not exist.

    A rerun encodes only inputs that are new, that changed (another time or size *and* another content) or
    that failed before. One bad image never stops it. Whatever stops it (Ctrl-C, a kill, a full disk) leaves
    an archive that opens, holds all that was committed, and goes on from there.

    Parameters
    ----------
    inputs : str, Path, or iterable of them
        Files, folders, patterns, ``@list.txt``: see `expand`. The archive knows images by these paths.
    target : str or Path
        Archive to make or to add to.
    codec : Codec
        Its `nbytes` is the length of every code.
    workers : int
        Threads that read and decode images ahead of the network.
    progress : None, bool or callable
        None shows a bar if stderr is a terminal; a callable is given (done, total).

    Returns
    -------
    Report

    Raises
    ------
    ProfileMismatchError
        The archive was made with another profile or length of codes.
    StorageError
        The archive cannot be written (ReadOnlyError, DiskFullError, ArchiveBusyError).
    UsageError
        A list of inputs cannot be read, or `workers` is not positive.
    ModelUnavailableError
        The weights of the backbone are not on this machine.
    """
    started = time.monotonic()
    if workers < 1:
        raise UsageError(f"workers must be at least 1, not {workers}")
    codec.space.backbone  # noqa: B018  without weights, no archive is begun
    found = expand([inputs] if isinstance(inputs, str | Path) else inputs)
    with codec.open_archive(target) as archive, progress_bar(progress, len(found.paths)) as show:
        run = _Run(archive, codec, Sink(archive, COMMIT_ITEMS, COMMIT_SECONDS), show)
        try:
            run.all(found, workers)
        except BaseException:
            with suppress(SememeError):  # what ended the run matters more than that it cannot be committed
                run.sink.flush()
            raise
    return run.report(time.monotonic() - started)


@dataclass(slots=True)
class _Run:
    """The state of one call of `encode_paths`."""

    archive: Archive
    codec: Codec
    sink: Sink
    show: Callable[[int], None]
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: list[Failure] = field(default_factory=list)

    def report(self, seconds: float) -> Report:
        """Sum up."""
        nbytes = (self.new + self.changed) * self.codec.nbytes
        return Report(self.new, self.changed, self.unchanged, tuple(self.failed), nbytes, seconds)

    def all(self, found: Found, workers: int) -> None:
        """Work through what was found."""
        known = self.archive.known()
        listed = [path for path in found.folders if path in known]  # failed before because they could not be
        if listed:
            self.archive.remove(listed)
        for name, error in found.failed.items():
            self.failed.append(Failure(name, error))
            if Path(name).is_dir():  # other names that are not there are not worth remembering
                self.sink.add(NewItem(name, error=error), None)

        def read(path: str) -> Read:
            return read_input(path, known.get(path), self.codec)

        reads = read_ahead(read, found.paths, workers=workers, window=2 * BATCH + workers)
        with closing(reads):
            pictures = self._pictures(reads)
            while batch := list(islice(pictures, BATCH)):
                self._encode(batch, known)
        self.sink.flush()

    def _pictures(self, reads: Iterator[Read]) -> Iterator[Read]:
        """Deal with every input that needs no network; pass on the others."""
        for read in reads:
            self.show(1)
            if read.state == "picture":
                yield read
            elif read.state == "unchanged":
                self.unchanged += 1
            elif read.state == "touched":
                self.unchanged += 1
                self.sink.add(touched(self.archive, read.item), self.archive.code(read.item.path))
            else:
                assert read.item.error is not None, "what has no picture says why"
                self._fail(read, read.item.error)

    def _fail(self, read: Read, error: str) -> None:
        self.failed.append(Failure(read.item.path, error))
        if read.state != "lost":
            self.sink.add(read.item._replace(error=error), None)

    def _encode(self, batch: Sequence[Read], known: Mapping[str, Known]) -> None:
        """Encode a batch; if that fails, each picture by itself, so that one cannot spoil the others."""
        try:
            coded = self._codes(batch)
        except InputError as exc:
            if len(batch) > 1:
                for read in batch:
                    self._encode([read], known)
            else:
                self._fail(batch[0], plain(exc))
            return
        for row, read in enumerate(batch):
            old = known.get(read.item.path)
            if old is not None and old.status == "ok":
                self.changed += 1
            else:
                self.new += 1
            self.sink.add(read.item._replace(fidelity=coded.fidelity(row)), coded[row])

    def _codes(self, batch: Sequence[Read]) -> Encoded:
        pictures = [read.image for read in batch if read.image is not None]
        assert len(pictures) == len(batch), "only what has a picture is encoded"
        return self.codec.encode_vectors(self.codec.space.embed_images(pictures))
