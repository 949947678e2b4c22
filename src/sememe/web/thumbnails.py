"""A code beside thumbnails of the same picture: what a model still sees, by bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sememe.backbones.images import open_image
from sememe.errors import MissingExtraError
from sememe.evaluate.imagecodecs import FAMILIES, Setting, centre_square, decode, encode, require
from sememe.metrics import cosine
from sememe.web.state import State

__all__ = ["compare"]

_FORMATS = ("webp", "jpeg-optimised")
_SIDES, _QUALITIES = (4, 8, 16, 24, 32, 64, 128), (1, 30, 70)
_LARGER = 512  # pixels decoded at the short side at least: thumbnails are made of more than a model looks at


def compare(state: State, code: bytes, original: bytes) -> dict[str, Any]:
    """Embed the original and thumbnails of it by the archive's own backbone.

    Parameters
    ----------
    state
    code
        Of the picture.
    original
        Its file.

    Returns
    -------
    dict
        ``ours``: ``nbytes`` and ``cosine`` with the original at every stop of the slider. ``codecs``: of each
        codec the files that no smaller one equals, as ``nbytes``, ``cosine``, ``side`` and ``quality``.

    Raises
    ------
    InputError
        The original cannot be read.
    ModelUnavailableError
        The backbone is not on this machine.
    """
    picture = centre_square(open_image(original, min_side=_LARGER))
    settings = list(_settings(min(picture.size)))
    files = [encode(picture, setting) for setting in settings]
    shown = [decode(file, setting, picture.size) for file, setting in zip(files, settings, strict=True)]
    x, *others = state.codec.space.embed_images([picture, *shown])
    kept = np.concatenate([state.codec.decode([code[:n]]) for n in state.rates])
    found = [
        {
            "codec": FAMILIES[s.family],
            "nbytes": len(f),
            "cosine": float(x @ y),
            "side": s.side,
            "quality": s.quality,
        }
        for s, f, y in zip(settings, files, others, strict=True)
    ]
    ours = cosine(np.repeat(x[None], len(kept), 0), kept)
    names = dict.fromkeys(one["codec"] for one in found)
    return {
        "ours": [{"nbytes": n, "cosine": round(float(c), 4)} for n, c in zip(state.rates, ours, strict=True)],
        "codecs": {name: _front([one for one in found if one["codec"] == name]) for name in names},
    }


def _settings(short: int) -> Iterator[Setting]:
    for name in _FORMATS:
        try:
            require(name)
        except MissingExtraError:
            continue
        for side in _SIDES:
            yield from (Setting(name, quality, min(side, short)) for quality in _QUALITIES)


def _front(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what costs more and shows no more, and the codec's name."""
    front: list[dict[str, Any]] = []
    for one in sorted(found, key=lambda one: (one["nbytes"], -one["cosine"])):
        if not front or one["cosine"] > front[-1]["cosine"]:
            front.append({key: value for key, value in one.items() if key != "codec"})
    return [one | {"cosine": round(one["cosine"], 4)} for one in front]
