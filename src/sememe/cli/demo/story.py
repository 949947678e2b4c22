"""What the demo does: photographs to an archive, and everything that follows from its bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import sememe
from sememe import api
from sememe.archive import Archive
from sememe.backbones.images import open_image
from sememe.batch import encode_paths
from sememe.cli.demo import photos, sizes
from sememe.errors import ProfileMismatchError
from sememe.metrics import cosine
from sememe.report import Hit, Photo, Report, ScoredLabel, Search
from sememe.types import Codes, Embeddings

LEVELS = (4, 8, 16)
"""Lengths in bytes that are shown; the last is what is stored."""

QUERIES = ("a cup of coffee", "an animal", "a vehicle")

_TOP_LABELS = 3
_TOP_HITS = 6

_NANO = (
    "Nano is a small model made for this package: fair at everyday things, rough at fine distinctions. "
    "Larger backbones see more, and their vectors take no more bytes."
)

_NOTES = """
Strength is calibrated: strong, weak or none say how far a match stands above chance, whatever else there is.
The number beside a label is its share among all words; beside a search result it is standard deviations above
chance.

The cosine compares the vector that the bytes decode to with the vector of the original picture.

The codes hold meaning, not pixels: no picture can be restored from them.
"""


def tell(paths: Mapping[str, Path], target: Path, profile: str) -> Report:
    """Encode photographs into an archive, read it back, and ask its bytes everything.

    Parameters
    ----------
    paths : mapping of str to Path
        Name of each photograph → its file.
    target : Path
        Archive to make or to bring up to date.
    profile : str
        Id or file.

    Returns
    -------
    Report
        Ready to be rendered or printed.
    """
    codec = api.load(profile, nbytes=LEVELS[-1])
    _encode(paths, target, codec)
    with Archive.open(target) as archive:
        stored = {item.path: code for item, code in zip(archive.items("ok"), archive.codes()[1], strict=True)}
    codes = np.stack([stored[str(path)] for path in paths.values()])
    originals = np.stack([codec.image(path) for path in paths.values()])
    return Report(
        profile_id=codec.profile.profile_id,
        version=sememe.__version__,
        levels=LEVELS,
        photos=_photos(codec, paths, codes, originals),
        searches=[_search(codec, codes, query) for query in QUERIES],
        candidates=photos.WORDS,
        notes=_notes(codec.profile.profile_id),
    )


def _encode(paths: Mapping[str, Path], target: Path, codec: api.Codec) -> None:
    """Bring the demo's own archive up to date; one of an earlier profile gives way."""
    try:
        encode_paths(paths.values(), target, codec, progress=False)
    except ProfileMismatchError:
        target.unlink()
        encode_paths(paths.values(), target, codec, progress=False)


def _notes(profile_id: str) -> list[str]:
    notes = [" ".join(note.split()) for note in _NOTES.split("\n\n")]
    return [_NANO, *notes] if profile_id == "nano" else notes


def _photos(codec: api.Codec, paths: Mapping[str, Path], codes: Codes, originals: Embeddings) -> list[Photo]:
    fidelity = {n: cosine(originals, codec.decode(codes[:, :n])) for n in LEVELS}
    labels = {n: _labels(codec, codes[:, :n]) for n in LEVELS}
    told = []
    for row, (name, path) in enumerate(paths.items()):
        image = open_image(path)
        told.append(
            Photo(
                name=name,
                width=image.width,
                height=image.height,
                code=codes[row].tobytes(),
                thumbnail=sizes.thumbnail_jpeg(image),
                fidelity={n: float(fidelity[n][row]) for n in LEVELS},
                labels={n: labels[n][row] for n in LEVELS},
                rivals=sizes.smallest_files(image),
                thumbnails=sizes.smallest_thumbnails(image),
            )
        )
    return told


def _labels(codec: api.Codec, codes: Codes) -> list[Sequence[ScoredLabel]]:
    return [
        [ScoredLabel(one.label, one.probability, one.strength) for one in prediction.labels[:_TOP_LABELS]]
        for prediction in codec.classify(codes, photos.WORDS)
    ]


def _search(codec: api.Codec, codes: Codes, query: str) -> Search:
    hits = {n: codec.search(codes[:, :n], query, k=_TOP_HITS) for n in LEVELS}
    return Search(query, {n: [Hit(one.row, one.score, one.strength) for one in hits[n]] for n in LEVELS})
