"""A folder to an archive: only what is new, changed or failed before; nothing stops for one bad image."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sememe.archive import Archive, NewItem, storable
from sememe.batch.containers import is_container, pictures_in
from sememe.batch.inputs import Found, expand
from sememe.batch.progress import Progress, progress_bar
from sememe.batch.reading import Job, Read, plain, read_ahead, read_job, touched
from sememe.batch.report import Failure, Report
from sememe.batch.sink import Sink
from sememe.batch.spending import SAMPLE, Spending
from sememe.errors import InputError, SememeError, UsageError

if TYPE_CHECKING:
    from sememe.api import Codec, Encoded
    from sememe.archive.records import Known
    from sememe.types import Embeddings

BATCH = 16
"""Pictures embedded at once."""

LOOK_UP = 1024
"""Inputs that the archive is asked about at once."""

COMMIT_ITEMS = 1024
COMMIT_SECONDS = 5.0


def encode_paths(
    inputs: str | Path | Iterable[str | Path],
    target: str | Path,
    codec: Codec,
    *,
    workers: int = 2,
    shard: tuple[int, int] | None = None,
    mean_bytes: float | None = None,
    progress: Progress = None,
) -> Report:
    """Encode images into an archive, which is made if it does not exist.

    A rerun encodes only inputs that are new, that changed (another time or size *and* another content) or
    that failed before. One bad image never stops it. Whatever stops it (Ctrl-C, a kill, a full disk) leaves
    an archive that opens, holds all that was committed, and goes on from there.

    Parameters
    ----------
    inputs : str, Path, or iterable of them
        Files, folders, patterns, ``@list.txt``: see `expand`. The archive knows images by these paths. Of a
        ``.tar`` (WebDataset naming) or a ``.parquet`` (a column of bytes, or of structs of bytes and path)
        the pictures inside are read; they are called ``shard.tar/key.jpg`` and ``table.parquet#12``.
    target : str or Path
        Archive to make or to add to.
    codec : Codec
        Its `nbytes` is the length of every code; of the longest one with `mean_bytes`.
    workers : int
        Threads that read and decode images ahead of the network, and as many that run it.
    shard : (int, int), optional
        Take one part of so many, counted from 0: `Found.shard`. Containers go to one part as a whole.
    mean_bytes : float, optional
        Spend so many bytes on an image on average, more on images that need more. How many that is for which
        image is learned from the first ones (`spending.SAMPLE`) and kept in the archive.
    progress : None, bool or callable
        None shows a bar if stderr is a terminal; a callable is given (done, total).

    Returns
    -------
    Report

    Raises
    ------
    ProfileMismatchError
        The archive was made with another profile, length of codes or mean.
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
    if shard is not None:
        found = found.shard(*shard)
    with (
        codec.open_archive(target, mean_bytes=mean_bytes) as archive,
        progress_bar(progress, len(found.paths)) as show,
    ):
        sink = Sink(archive, COMMIT_ITEMS, COMMIT_SECONDS)
        run = _Run(archive, codec, sink, Spending(archive, codec), show)
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
    spending: Spending
    show: Callable[[int], None]
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    bytes: int = 0
    failed: list[Failure] = field(default_factory=list)
    waiting: list[tuple[Read, Embeddings]] = field(default_factory=list)
    """Pictures whose vectors wait for the slope to be settled."""

    def report(self, seconds: float) -> Report:
        """Sum up."""
        return Report(self.new, self.changed, self.unchanged, tuple(self.failed), self.bytes, seconds)

    def all(self, found: Found, workers: int) -> None:
        """Work through what was found."""
        listed = self.archive.look_up(found.folders)  # failed before because they could not be
        if listed:
            self.archive.remove(listed)
        for name, error in found.failed.items():
            self.failed.append(Failure(name, error))
            if Path(name).is_dir():  # other names that are not there are not worth remembering
                self.sink.add(NewItem(name, error=error), None)

        def read(job: Job) -> Read:
            return read_job(job, self.codec)

        reads = read_ahead(read, self._jobs(found.paths), workers=workers, window=2 * BATCH + workers)
        pictures = self._pictures(reads)
        batches = iter(lambda: list(islice(pictures, BATCH)), [])
        # Sessions are shared by threads: each runs its own batch, and the results come in order.
        embedded = read_ahead(self._embed, batches, workers=workers, window=workers + 1)
        with closing(reads), closing(embedded):
            for batch, x in embedded:
                self._encode(batch, x)
        self._settle()
        self.sink.flush()

    def _jobs(self, paths: Sequence[str]) -> Iterator[Job]:
        """Give inputs with what the archive knows of them; it is asked some at a time: memory stays flat."""
        for start in range(0, len(paths), LOOK_UP):
            some = paths[start : start + LOOK_UP]
            known = self.archive.look_up(some)
            for path in some:
                if is_container(path):
                    yield from self._contained(path)
                else:
                    yield Job(path, known.get(path))

    def _contained(self, path: str) -> Iterator[Job]:
        """Give what a container holds; one that is damaged is a failure itself, after what came before."""
        known: Known | None = None

        def unchanged(name: str, mtime_ns: int, size: int) -> bool:
            nonlocal known
            known = self.archive.look_up([name]).get(name) if storable(name) else None
            return (
                known is not None
                and known.status == "ok"
                and (known.mtime_ns, known.size) == (mtime_ns, size)
            )

        try:
            for held in pictures_in(path, unchanged):
                if not storable(held.path):
                    error = "its name cannot be stored"
                    held = replace(held, data=None, error=error, storable=False)
                yield Job(held.path, known if held.error is None else None, held)
        except InputError as exc:
            self.failed.append(Failure(path, str(exc).removeprefix(f"{path}: ")))
        self.show(1)

    def _pictures(self, reads: Iterator[Read]) -> Iterator[Read]:
        """Deal with every input that needs no network; pass on the others."""
        for read in reads:
            self.show(not read.contained)
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

    def _embed(self, batch: Sequence[Read]) -> tuple[Sequence[Read], Embeddings | InputError]:
        """Embed a batch, in a thread of its own: it changes nothing, and hands an error on."""
        pictures = [read.image for read in batch if read.image is not None]
        assert len(pictures) == len(batch), "only what has a picture is encoded"
        try:
            return batch, self.codec.space.embed_images(pictures)
        except InputError as exc:
            return batch, exc

    def _encode(self, batch: Sequence[Read], x: Embeddings | InputError) -> None:
        """Encode a batch; if that fails, each picture by itself, so that one cannot spoil the others."""
        try:
            if isinstance(x, InputError):
                raise x
            coded = self.spending.encode(x)
        except InputError as exc:
            if len(batch) > 1:
                for read in batch:
                    self._encode(*self._embed([read]))
            else:
                self._fail(batch[0], plain(exc))
            return
        if self.spending.settled:
            self._store(batch, coded)
            return
        self.waiting += [(replace(read, image=None), x[row]) for row, read in enumerate(batch)]
        if len(self.waiting) >= SAMPLE:
            self._settle()

    def _settle(self) -> None:
        """Settle the slope by the pictures that wait for it, and encode these."""
        reads, x = [read for read, _ in self.waiting], [vector for _, vector in self.waiting]
        self.waiting = []
        if reads:
            self.spending.settle(np.stack(x))
        for start in range(0, len(reads), BATCH):
            some = slice(start, start + BATCH)
            self._store(reads[some], self.spending.encode(np.stack(x[some])))

    def _store(self, batch: Sequence[Read], coded: Encoded) -> None:
        for row, read in enumerate(batch):
            if read.had_code:
                self.changed += 1
            else:
                self.new += 1
            self.bytes += len(coded[row])
            self.sink.add(read.item._replace(fidelity=coded.fidelity(row)), coded[row])
