"""Own images to an own profile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sememe.archive import NewItem
from sememe.batch.inputs import expand
from sememe.batch.progress import Progress, progress_bar
from sememe.batch.reading import Read, read_ahead, read_input
from sememe.batch.report import Failure
from sememe.batch.resume import Resume
from sememe.batch.run import BATCH
from sememe.errors import InputError, VectorError
from sememe.profile import Profile
from sememe.profile.own import Own, Stages, fit_own, most_vectors
from sememe.zeroshot import EVERYDAY

if TYPE_CHECKING:
    from sememe.api import Codec
    from sememe.types import Embeddings, Json


def fit_images(
    inputs: str | Path | Iterable[str | Path],
    codec: Codec,
    *,
    name: str = "custom",
    workers: int = 2,
    progress: Progress = None,
    log: Callable[[str], None] = lambda _: None,
) -> tuple[Profile, tuple[Failure, ...]]:
    """Make a profile for images of one kind; see `own_from_images` for one that is judged.

    Parameters
    ----------
    inputs, codec, name, workers, progress : see `own_from_images`
    log : callable
        Called with one line about each stage of the fit.

    Returns
    -------
    profile : Profile
    failed : tuple of Failure
        Images that could not be used.

    Raises
    ------
    VectorError, UsageError, ModelUnavailableError
        As in `own_from_images`.
    """
    own, failed = own_from_images(
        inputs,
        codec,
        name=name,
        workers=workers,
        progress=progress,
        holdout=0,
        stages=lambda line, done, of: log(line),
    )
    return own.profile, failed


def own_from_images(
    inputs: str | Path | Iterable[str | Path],
    codec: Codec,
    *,
    name: str = "custom",
    holdout: float = 0.1,
    seed: int = 0,
    resume: str | Path | None = None,
    workers: int = 2,
    progress: Progress = None,
    stages: Stages = lambda line, done, of: None,
) -> tuple[Own, tuple[Failure, ...]]:
    """Make a profile for images of one kind, which it may code better than a general one, and judge it.

    Parameters
    ----------
    inputs : see `expand`
        A few thousand images, varied as those to come will be. Of more than 50,000 (fewer above 800
        dimensions) a random sample is embedded.
    codec : Codec
        Its backbone embeds them; its profile is compared with, and adapted where the images are few.
    name : str
        Name of the new profile.
    holdout, seed, stages
        As in `sememe.profile.own.fit_own`.
    resume : str or Path, optional
        File that keeps vectors while images are embedded: the same call again, after an interruption, goes on
        from there. It is deleted in the end.
    workers : int
        Threads that read and decode images.
    progress : see `encode_paths`

    Returns
    -------
    own : Own
        Its `profile`, made from all images, and its `report`.
    failed : tuple of Failure
        Images that could not be used.

    Raises
    ------
    VectorError
        Too few images could be used.
    StorageError
        `resume` cannot be written.
    UsageError, ModelUnavailableError
        As in `encode_paths`.
    """
    backbone = codec.space.backbone  # loaded before threads ask for it
    found = expand([inputs] if isinstance(inputs, str | Path) else inputs)
    paths, total = _sample(found.paths, most_vectors(codec.profile.dim), seed), len(found.paths)
    kept = None if resume is None else Resume(Path(resume), backbone)
    work = _Embedding(codec, kept, [Failure(path, error) for path, error in found.failed.items()])
    with progress_bar(progress, len(paths)) as show:
        x = work.all(paths, workers, show)
    manifest: dict[str, Json] = {
        "profile_id": name,
        "space_id": codec.profile.space_id,
        "backbone_id": backbone.backbone_id,
        "preprocessing": dict(backbone.preprocessing),
    }
    notes = (
        () if total == len(paths) else (f"a random {len(paths):,} of the {total:,} images were looked at",)
    )
    own = fit_own(
        x,
        backbone.embed_texts(EVERYDAY),
        manifest=manifest,
        base=codec.profile,
        holdout=holdout,
        seed=seed,
        total=total - len(paths) + len(x),
        subject="images",
        notes=notes,
        stages=stages,
    )
    if kept is not None:
        kept.forget()
    return own, tuple(work.failed)


def _sample(paths: Sequence[str], most: int, seed: int) -> list[str]:
    """At most so many of the paths, in their order."""
    if len(paths) <= most:
        return list(paths)
    rows = np.sort(np.random.default_rng(seed).choice(len(paths), most, replace=False))
    return [paths[row] for row in rows]


@dataclass(slots=True)
class _Embedding:
    """The state of embedding many images."""

    codec: Codec
    kept: Resume | None
    failed: list[Failure]
    _vectors: list[Embeddings] = field(default_factory=list)

    def all(self, paths: Sequence[str], workers: int, show: Callable[[int], None]) -> Embeddings:
        """Embed all that can be read: (n, d), known ones first; the others go to `failed`."""
        unknown = []
        for path in paths:
            x = self._known(path)
            if x is None:
                unknown.append(path)
            else:
                self._vectors.append(x)
        show(len(self._vectors))

        def read(path: str) -> Read:
            return read_input(path, None, self.codec)

        with closing(read_ahead(read, unknown, workers=workers, window=2 * BATCH + workers)) as reads:
            for batch in _batches(reads):
                self._embed(batch)
                show(len(batch))
        return np.concatenate([np.zeros((0, self.codec.profile.dim), np.float32), *self._vectors])

    def _known(self, path: str) -> Embeddings | None:
        if self.kept is None:
            return None
        try:
            status = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError):
            return None  # reading it will say why
        return self.kept.take(NewItem(path, status.st_mtime_ns, status.st_size))

    def _embed(self, batch: Sequence[Read]) -> None:
        self.failed += [Failure(one.item.path, one.item.error) for one in batch if one.item.error is not None]
        good = [one for one in batch if one.image is not None]
        try:
            x = self.codec.space.embed_images([one.image for one in good if one.image is not None])
        except InputError as exc:
            raise VectorError(f"{batch[0].item.path} and the next {len(batch) - 1}: {exc}") from exc
        self._vectors.append(x)
        if self.kept is not None:
            self.kept.put([one.item for one in good], x)


def _batches(reads: Iterator[Read]) -> Iterator[list[Read]]:
    while batch := list(islice(reads, BATCH)):
        yield batch
