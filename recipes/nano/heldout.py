"""What a variant says of the part that it never saw: accuracy, search, and how both survive coding."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sememe import Codec
from sememe.api.queries import make_query
from sememe.backbones.nano import NanoBackbone
from sememe.index import Hit, search
from sememe.profile import Profile

from . import data
from .embed import load_vectors, manifest
from .measure import label_vectors, percent, recall, ten_nearest, zero_shot
from .space import Space
from .targets import Mix

BYTES = (16, 8)


@dataclass(frozen=True)
class HeldOut:
    """The labelled pictures of one part, as the variant that never saw them embeds them.

    Attributes
    ----------
    nano : NanoBackbone
        The variant.
    codec : Codec
        Its profile, fitted on the sources that it saw.
    vectors, teacher : (n, 256)
        The variant's vectors and the teacher mix.
    concept, source : (n,)
        Names.
    rows : (n,)
        Where the pictures are in the collection.
    """

    nano: NanoBackbone
    codec: Codec
    vectors: np.ndarray
    teacher: np.ndarray
    concept: np.ndarray
    source: np.ndarray
    rows: np.ndarray

    @cached_property
    def codes(self) -> np.ndarray:
        """Codes (n, 16) of the vectors."""
        return self.codec.profile.encode(self.vectors, max(BYTES))

    @cached_property
    def coded(self) -> dict[int, np.ndarray]:
        """What codes of each length give back of the vectors."""
        return {n: self.codec.profile.decode(self.codes[:, :n]) for n in BYTES}


def held_out(part: str, args: argparse.Namespace) -> HeldOut:
    """Gather one part."""
    pictures = data.read_pictures(args.shared / "images")
    seen = ~np.isin(pictures.source, data.PARTS[part])
    nano = NanoBackbone(folder=args.cache / f"variant-{part}")
    vectors, texts = load_vectors(args.cache, part)
    known = ~np.isnan(vectors[:, 0])
    profile = Profile.fit(vectors[seen & known], texts, manifest=manifest(nano))
    mix = Mix([part], args.cache, args.shared)
    rows = np.flatnonzero(~seen & (pictures.concept != ""))
    said = [np.load(args.cache / f"view0.{k}.npy", mmap_mode="r")[rows] for k in ("logits", "pool")]
    codec = Codec(profile, backbone=nano)
    names = pictures.concept[rows], pictures.source[rows]
    return HeldOut(nano, codec, vectors[rows], mix(*said), *names, rows)


@dataclass(frozen=True)
class Tested:
    """One source, tested: its accuracy, and what a gallery and a calibration need.

    Attributes
    ----------
    rows : (n,)
        Where the pictures are in the collection.
    scores, labels : (n, k), (n,)
        Cosines with the k names, and which name is right.
    """

    source: str
    rows: np.ndarray
    names: list[str]
    scores: np.ndarray
    labels: np.ndarray
    figures: dict[str, object]


def by_source(space: Space, held: HeldOut) -> list[Tested]:
    """Test every source of a part on its own names."""
    tested = []
    for source in sorted(set(held.source.tolist())):
        mine = held.source == source
        names = sorted(set(held.concept[mine].tolist()))
        labels = np.array([names.index(c) for c in held.concept[mine]])
        texts, taught = label_vectors(held.nano, names), space.texts(names)
        figures = {
            "pictures": len(labels),
            "classes": len(names),
            "chance": percent(1 / len(names)),
            "nano": zero_shot(held.vectors[mine], labels, texts),
            **{f"nano_{n}_bytes": zero_shot(held.coded[n][mine], labels, texts) for n in BYTES},
            "nano_pictures_teacher_texts": zero_shot(held.vectors[mine], labels, taught),
            "teacher_mix": zero_shot(held.teacher[mine], labels, taught),
        }
        tested.append(Tested(source, held.rows[mine], names, held.vectors[mine] @ texts.T, labels, figures))
    return tested


def searches(space: Space, held: HeldOut) -> dict[str, dict[str, float]]:
    """Return how well names find pictures: by cosine, ours, from bytes, the teacher mix; and by `search`.

    A plain mean over names, and a mean over sources of the mean over their names: one source may bring most
    of the names.
    """
    names = sorted(set(held.concept.tolist()))
    ours, taught = label_vectors(held.nano, names), space.texts(names)
    found = {
        "nano": ten_nearest(held.vectors, ours),
        **{f"nano_{n}_bytes": ten_nearest(held.coded[n], ours) for n in BYTES},
        "teacher_mix": ten_nearest(held.teacher, taught),
        "search_16_bytes": [[hit.row for hit in _search(held, name)] for name in names],
    }
    shares = {who: recall(held.concept, names, rows) for who, rows in found.items()}
    asked = [np.isin(names, held.concept[held.source == source]) for source in set(held.source.tolist())]
    return {
        who: {
            "names": percent(share.mean()),
            "sources": percent(float(np.mean([share[its].mean() for its in asked]))),
        }
        for who, share in shares.items()
    }


def _search(held: HeldOut, name: str) -> list[Hit]:
    """Search as `Codec.search` does, without decoding the codes again for every name."""
    query, background = make_query(name, held.codec.space)
    return search(query, held.coded[16], background, k=10)
