"""A folder of pictures as a pool: its sub-folders are the classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sememe.errors import InputError
from sememe.evaluate.pool import Pool, Texts
from sememe.evaluate.trial import UNLABELLED
from sememe.index import PICTURES
from sememe.metrics import unit_rows
from sememe.types import Embeddings
from sememe.zeroshot import EVERYDAY, TEMPLATE

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Embedder", "embed_folder", "embed_names"]

_BATCH = 32


class Opened(Protocol):
    """A picture, or the error that kept it from being one."""

    @property
    def image(self) -> Image | None:
        """Upright pixels, perhaps fewer than the file has."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in the file."""
        ...

    @property
    def error(self) -> InputError | None:
        """Why there is no picture."""
        ...


class Embedder(Protocol):
    """What opens pictures and turns pictures and words into vectors; `Codec.space` is one."""

    def open(self, image: str) -> Opened:
        """Open a picture by its path; what is wrong with it is returned, not raised."""
        ...

    def embed_images(self, images: Sequence[Image]) -> Embeddings:
        """Embed pictures: (n, d) unit float32 rows."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts as they stand: (n, d) unit float32 rows."""
        ...


def embed_folder(
    folder: str | Path, embedder: Embedder, *, progress: Callable[[int, int], None] | None = None
) -> tuple[Pool, dict[str, InputError]]:
    """Embed every picture of a folder.

    Parameters
    ----------
    folder
        Pictures in a sub-folder, at any depth below it, are of the class that the sub-folder is named after;
        pictures beside the sub-folders are of no class. Hidden entries are left out.
    embedder
        For example the `space` of a loaded `Codec`.
    progress
        Called with (done, total) after each batch.

    Returns
    -------
    pool : Pool
    failed : dict
        Path to error of each picture that could not be used.

    Raises
    ------
    InputError
        The folder cannot be listed, or no picture in it can be used.
    """
    classes, paths = _listed(Path(folder))
    vectors: list[Embeddings] = []
    labels: list[int] = []
    pixels: list[int] = []
    failed: dict[str, InputError] = {}
    for start in range(0, len(paths), _BATCH):
        images = []
        for label, path in paths[start : start + _BATCH]:
            opened = embedder.open(path)
            if opened.image is None:
                failed[path] = opened.error or InputError(f"{path}: cannot be read")
                continue
            images.append(opened.image)
            labels.append(label)
            pixels.append(opened.size[0] * opened.size[1])
        if images:
            vectors.append(unit_rows(embedder.embed_images(images)))
        if progress is not None:
            progress(min(start + _BATCH, len(paths)), len(paths))
    if not vectors:
        raise InputError(f"{folder}: no picture in it can be used")
    pool = Pool(
        Path(folder).resolve().name, np.concatenate(vectors), np.array(labels), classes, np.array(pixels)
    )
    return pool, failed


def embed_names(classes: Sequence[str], embedder: Embedder) -> tuple[Texts, Embeddings]:
    """Embed names of classes to judge with, and everyday words that are none of them to learn from.

    Returns
    -------
    judging : Texts
        Each class once.
    training : (t, d) float32
    """
    names = tuple(dict.fromkeys(classes))
    lowered = {name.lower() for name in names}
    words = tuple(word for word in EVERYDAY if word not in lowered)
    judging, training = (
        unit_rows(embedder.embed_texts([TEMPLATE.replace("{}", name) for name in some]))
        for some in (names, words)
    )
    return Texts(judging, names), training


def _listed(folder: Path) -> tuple[tuple[str, ...], list[tuple[int, str]]]:
    """Names of classes, and (class, path) of each picture in a stable order."""
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as exc:
        raise InputError(f"{folder}: cannot be listed ({exc.strerror or exc})") from exc
    found = [(UNLABELLED, str(path)) for path in entries if path.is_file() and _is_picture(path)]
    classes = [path for path in entries if path.is_dir()]
    for label, sub in enumerate(classes):
        below = sorted(path for path in sub.rglob("*") if path.is_file() and _is_picture(path))
        found += [(label, str(path)) for path in below if not _hidden(path.relative_to(sub))]
    if not found:
        raise InputError(f"{folder}: no picture is there; give a folder with one sub-folder for each class")
    return tuple(path.name for path in classes), found


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
