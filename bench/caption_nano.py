"""Captions with nano on sources that a variant never saw, and settings on composites of two photographs.

CACHE/variant-PART, CACHE/vectors-PART.npy, CACHE/texts-PART.npy     from recipes.nano
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

import caption_fit
import caption_truth
from caption_fit import Labelled
from output import note
from sememe.api.space import typical_vectors
from sememe.backbones.nano import NanoBackbone
from sememe.caption import Certainty, Composer, Vocabulary
from sememe.caption.captions import LIKELY
from sememe.caption.words import SETTINGS, STYLES
from sememe.profile import Profile

PARTS = {
    "a": ("imagenet_sample", "intel_scenes", "pacs_photo", "dogcat_small", "corel1k"),
    "b": ("caltech101", "pacs_cartoon"),
    "c": ("pacs_art_painting", "pacs_sketch"),
}
DRAWN = {"pacs_cartoon": "cartoon", "pacs_art_painting": "painting", "pacs_sketch": "pencil sketch"}
BYTES = (0, 64, 32, 16, 8, 4)
MOST = 300
"""Pictures of a source."""

SUBJECTS = (
    ("pacs_photo", "dog"),
    ("pacs_photo", "horse"),
    ("pacs_photo", "elephant"),
    ("pacs_photo", "giraffe"),
    ("pacs_photo", "guitar"),
    ("dogcat_small", "cat"),
    ("corel1k", "bus"),
)
SCENES = {
    ("intel_scenes", "sea"): ("sea", "beach", "water"),
    ("corel1k", "beach"): ("beach", "sea", "water"),
    ("intel_scenes", "mountain"): ("mountain", "snow"),
    ("intel_scenes", "glacier"): ("snow", "mountain"),
    ("intel_scenes", "forest"): ("forest", "garden", "grass"),
    ("intel_scenes", "street"): ("city street", "road"),
}
"""Source and concept of a background, and the settings that are right for it."""

EACH, PLAIN = 8, 24
"""Composites of each subject with each scene, and with a plain ground, where every setting is wrong."""


class Part:
    """One part of the pictures, as the variant that never saw it embeds them."""

    def __init__(self, part: str, cache: Path, data: Path) -> None:
        self.nano = NanoBackbone(folder=cache / f"variant-{part}")
        self.source, self.concept = _columns(data)
        x, texts = (np.load(cache / f"{kind}-{part}.npy").astype(np.float32) for kind in ("vectors", "texts"))
        mine, known = np.isin(self.source, PARTS[part]), ~np.isnan(x[:, 0])
        manifest = {"profile_id": "nano", "space_id": self.nano.space_id, "backbone_id": "nano"}
        self.profile = Profile.fit(x[known & ~mine], texts, manifest={**manifest, "preprocessing": {}})
        vocabulary = Vocabulary.embed(self.nano)
        any_certainty = Certainty(1.0, 0.0, 1.0, 0.0, 0.0)
        self.composer = Composer.of(vocabulary, typical_vectors(self.profile), any_certainty)
        self.x = x

    def decoded(self, x: NDArray[np.float32], lengths: tuple[int, ...] = BYTES) -> dict[int, Any]:
        """Give vectors by length of code; 0 is the original."""
        codes = self.profile.encode(x, max(lengths))
        return {n: self.profile.decode(codes[:, :n]) if n else x for n in lengths}

    def labelled(self, source: str, data: Path) -> tuple[Labelled, int]:
        """Give some pictures of a source, and how many concepts of it the tree has no place for."""
        tree = self.composer.vocabulary.tree
        concepts = sorted(set(self.concept[self.source == source].tolist()))
        truths = caption_truth.truths(concepts, frozenset(tree.rows), imagenet_names(data))
        mine = np.flatnonzero((self.source == source) & np.isin(self.concept, list(truths)))
        rows = np.sort(np.random.default_rng(0).permutation(mine)[:MOST])
        labels = [[tree.rows[truths[concept]]] for concept in self.concept[rows]]
        strict = source == "imagenet_sample"  # its labels were put into the tree as special as that allows
        made = Labelled.of(source, self.composer, self.decoded(self.x[rows]), labels, strict=strict)
        return made, len(concepts) - len(truths)


def measure(cache: Path, data: Path) -> dict[str, Any]:
    """Fit the certainty, each source's on the others, and say how good captions are."""
    parts = {name: Part(name, cache, data) for name in PARTS}
    note("parts are ready")
    pairs = [parts[name].labelled(source, data) for name, sources in PARTS.items() for source in sources]
    sets = [made for made, _ in pairs]
    certainty, others, calibration = caption_fit.left_out(sets)
    note(f"certainty: {certainty}")
    photographs = [made for made in sets if made.name not in DRAWN]
    drawn = [made for made in sets if made.name in DRAWN]
    settings, certainty = additions(parts["a"], certainty, data)
    return {
        "constants": certainty._asdict(),
        "left_out_constants": {name: one._asdict() for name, one in others.items()},
        "pictures": {made.name: len(made.right) for made in sets},
        "concepts_without_a_place": {made.name: count for made, count in pairs if count},
        "reliability": calibration,
        "bytes": {
            str(n): {
                kind: caption_fit.figures([caption_fit.answers(one, n, others[one.name]) for one in some])
                for kind, some in (("photographs", photographs), ("drawn", drawn))
            }
            for n in BYTES
        },
        "sources": {
            one.name: caption_fit.figures([caption_fit.answers(one, 16, others[one.name])]) for one in sets
        },
        "settings": settings,
        "styles": {one.name: styles(one, certainty) for one in sets},
    }


def additions(part: Part, certainty: Certainty, data: Path) -> tuple[dict[str, Any], Certainty]:
    """Fit how sure a setting is, each subject's on the others'; return its figures and the constants."""
    subjects, right_words, pictures = zip(*composites(part, data), strict=True)
    decoded = part.decoded(part.nano.embed_images(list(pictures)), (0, 16))
    composer = replace(part.composer, certainty=certainty)
    names = np.array(subjects)
    found: dict[str, Any] = {"composites": len(names), "plain": int(sum(not words for words in right_words))}
    best = {n: _best_settings(composer, x) for n, x in decoded.items()}
    scores = np.concatenate([score for score, _ in best.values()])
    right = np.concatenate(
        [[word in words for word, words in zip(said, right_words, strict=True)] for _, said in best.values()]
    )
    groups, weights = np.tile(names, len(best)), np.ones(len(scores))
    stated = np.zeros(len(scores))
    for name in np.unique(names):
        mine = groups == name
        (offset, slope), _ = caption_fit.logistic(scores[~mine], right[~mine], weights[~mine])
        stated[mine] = 1 / (1 + np.exp(-offset - slope * scores[mine]))
    found["reliability"] = caption_fit.reliability(stated, right, weights)
    for at, n in enumerate(best):
        rows = slice(at * len(names), (at + 1) * len(names))
        said, true = stated[rows] >= LIKELY, right[rows]
        found[str(n)] = {
            "best_right": round(float(true.mean()), 3),
            "said": round(float(said.mean()), 3),
            "right_of_said": round(float(true[said].mean()), 3) if said.any() else None,
            "said_on_plain": round(float(said[[not words for words in right_words]].mean()), 3),
        }
    (offset, slope), _ = caption_fit.logistic(scores, right, weights)
    constants = {"addition_offset": round(float(offset), 2), "addition_slope": round(float(slope), 2)}
    return found, certainty._replace(**constants)


def composites(part: Part, data: Path) -> Iterator[tuple[str, tuple[str, ...], Image.Image]]:
    """Paste subjects, cut round, into scenes and onto plain grounds; left-out photographs all."""
    jpegs = _jpegs(data)
    rng = np.random.default_rng(0)

    def rows(source: str, concept: str) -> NDArray[np.intp]:
        return rng.permutation(np.flatnonzero((part.source == source) & (part.concept == concept)))

    scenes = {key: rows(*key) for key in SCENES}
    for source, concept in SUBJECTS:
        fronts = iter(rows(source, concept))
        for key, words in SCENES.items():
            for at in range(EACH):
                yield concept, words, _pasted(_open(jpegs[next(fronts)]), _open(jpegs[scenes[key][at]]))
        for _ in range(min(PLAIN, 90 - EACH * len(SCENES))):
            ground = Image.new("RGB", (112, 112), tuple(rng.integers(0, 256, 3).tolist()))
            yield concept, (), _pasted(_open(jpegs[next(fronts)]), ground)


def styles(data: Labelled, certainty: Certainty) -> dict[str, float]:
    """How often a style is said from 16 bytes, and how often it is that of the source."""
    composer = replace(data.composer, certainty=certainty)
    told = [captions[0] for captions in composer.caption(data.x[16])]
    words = [[claim.word for claim in one.claims if claim.kind == "style"] for one in told]
    right = sum(DRAWN.get(data.name) in said for said in words)
    return {"said": round(sum(map(bool, words)) / len(words), 3), "right": round(right / len(words), 3)}


def imagenet_names(data: Path) -> list[str]:
    """Give the thousand class names, the first synonym of each."""
    lines = (data / "teachers" / "imagenet_labels.txt").read_text().splitlines()[1:]
    return [line.split(",")[0].strip() for line in lines]


def _best_settings(composer: Composer, x: NDArray[np.float32]) -> tuple[NDArray[np.float64], list[str]]:
    """Score and word of the likeliest setting of each picture, beside what its caption says."""
    confidences = composer.certainty.of_concepts(composer.shares(x))
    words = [word for word, _ in composer.vocabulary.additions]
    settings = [at for at, word in enumerate(words) if word in SETTINGS and word not in STYLES]
    scores, best = [], []
    for vector, confidence in zip(composer.background.centre(x, "image"), confidences, strict=True):
        path = composer.path(confidence)
        said = [row for row in path if confidence[row] >= LIKELY] or path[:1]
        found = composer.additions(vector, said[-1])[settings]
        scores.append(found.max())
        best.append(words[settings[int(found.argmax())]])
    return np.array(scores), best


def _columns(data: Path) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    tables = [pq.read_table(path, columns=["source", "concept"]) for path in _shards(data)]
    source, concept = (
        [text or "" for table in tables for text in table[name].to_pylist()] for name in ("source", "concept")
    )
    return np.array(source), np.array(concept)


def _jpegs(data: Path) -> list[bytes]:
    return [jpg for path in _shards(data) for jpg in pq.read_table(path, columns=["jpg"])["jpg"].to_pylist()]


def _shards(data: Path) -> list[Path]:
    return sorted((data / "images").glob("train-*.parquet"))


def _open(jpg: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(jpg)).convert("RGB")
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((112, 112), Image.Resampling.BICUBIC)


def _pasted(front: Image.Image, ground: Image.Image) -> Image.Image:
    """Put a soft round cut of one square, 66 pixels wide, below the middle of another."""
    side, made = 66, ground.copy()
    mask = Image.new("L", (side, side), 0)
    ImageDraw.Draw(mask).ellipse((3, 3, side - 3, side - 3), fill=255)
    made.paste(front.resize((side, side)), (23, 40), mask.filter(ImageFilter.GaussianBlur(2)))
    return made
