"""Own images to an own profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sememe.batch.inputs import expand
from sememe.batch.progress import Progress, progress_bar
from sememe.batch.reading import Read, read_ahead, read_input
from sememe.batch.report import Failure
from sememe.batch.run import BATCH
from sememe.errors import InputError, VectorError
from sememe.profile import Profile
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
    """Fit a profile to images of one kind, which it then codes better than a general one does.

    Parameters
    ----------
    inputs : see `expand`
        A few thousand images, varied as those to come will be.
    codec : Codec
        Its backbone embeds them; its profile says what the backbone is.
    name : str
        Name of the new profile.
    workers : int
        Threads that read and decode images.
    progress : see `encode_paths`
    log : callable
        Called with one line about each stage of the fit.

    Returns
    -------
    profile : Profile
    failed : tuple of Failure
        Images that could not be used.

    Raises
    ------
    VectorError
        Too few images could be used.
    UsageError, ModelUnavailableError
        As in `encode_paths`.
    """
    found = expand([inputs] if isinstance(inputs, str | Path) else inputs)
    failed = [Failure(path, error) for path, error in found.failed.items()]
    with progress_bar(progress, len(found.paths)) as show:
        x = _embed_all(found.paths, codec, workers, failed, show)
    manifest: dict[str, Json] = {
        "profile_id": name,
        "space_id": codec.profile.space_id,
        "backbone_id": codec.backbone.backbone_id,
        "preprocessing": codec.backbone.preprocessing,
        "provenance": f"fitted on {len(x)} images of the user's own",
    }
    texts = codec.backbone.embed_texts(EVERYDAY)
    return Profile.fit(x, texts, manifest=manifest, progress=log), tuple(failed)


def _embed_all(
    paths: list[str], codec: Codec, workers: int, failed: list[Failure], show: Callable[[int], None]
) -> Embeddings:
    """Embed all images that can be read: (n, d); the others go to `failed`."""
    codec.space.backbone  # noqa: B018  loaded before threads ask for it

    def read(path: str) -> Read:
        return read_input(path, None, codec)

    vectors = [np.zeros((0, codec.profile.dim), np.float32)]
    with closing(read_ahead(read, paths, workers=workers, window=2 * BATCH + workers)) as reads:
        while batch := list(islice(reads, BATCH)):
            show(len(batch))
            failed += [Failure(one.item.path, one.item.error) for one in batch if one.item.error is not None]
            pictures = [one.image for one in batch if one.image is not None]
            try:
                vectors.append(codec.space.embed_images(pictures))
            except InputError as exc:
                raise VectorError(f"{batch[0].item.path} and the next {len(batch) - 1}: {exc}") from exc
    return np.concatenate(vectors)
