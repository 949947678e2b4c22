"""Figures of merit: zero-shot accuracy, search, steadiness, calibration."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageOps

from sememe.backbones.nano import NanoBackbone
from sememe.zeroshot import embed_labels

from .space import TEMPLATES

#: Cosines (n, k) of pictures with labels, and the right label of each.
Scores: TypeAlias = tuple[np.ndarray, np.ndarray]


def open_jpeg(jpg: bytes) -> Image.Image:
    """Decode one training-set JPEG."""
    return Image.open(io.BytesIO(jpg)).convert("RGB")


def percent(share: float) -> float:
    """Round to a tenth of a percent."""
    return round(100 * float(share), 1)


def label_vectors(nano: NanoBackbone, names: list[str]) -> np.ndarray:
    """Embed names in the joint space's own templates."""
    return embed_labels(names, nano, template=TEMPLATES)


def zero_shot(vectors: np.ndarray, labels: np.ndarray, names: np.ndarray) -> dict[str, float]:
    """Return top-1 and top-5 accuracy in percent."""
    order = np.argsort(-(vectors @ names.T), axis=1)[:, :5]
    hit = order == labels[:, None]
    return {"top1": percent(hit[:, 0].mean()), "top5": percent(hit.any(1).mean())}


def ten_nearest(vectors: np.ndarray, queries: np.ndarray) -> list[np.ndarray]:
    """Return the rows of the ten pictures nearest to each query."""
    return [np.argsort(-(vectors @ query))[:10] for query in queries]


def recall(concepts: np.ndarray, names: list[str], found: Sequence[Sequence[int]]) -> np.ndarray:
    """Return, for each name, what share of the right pictures that could be among ten is."""
    return np.array(
        [
            (concepts[list(rows)] == name).sum() / min(10, (concepts == name).sum())
            for name, rows in zip(names, found, strict=True)
        ]
    )


def changed(image: Image.Image) -> list[Image.Image]:
    """Return a picture flipped, cropped to 90 % and saved as a bad JPEG."""
    w, h = image.size
    file = io.BytesIO()
    image.save(file, "JPEG", quality=30)
    crop = image.crop((round(0.05 * w), round(0.05 * h), round(0.95 * w), round(0.95 * h)))
    return [ImageOps.mirror(image), crop, Image.open(file)]


def steadiness(nano: NanoBackbone, sample: list[Image.Image]) -> dict[str, float]:
    """Return the mean cosine between pictures and their changed versions."""
    base = nano.embed_images(sample)
    kinds = zip(*map(changed, sample), strict=True)
    cosines = [float((nano.embed_images(list(k)) * base).sum(1).mean()) for k in kinds]
    named = dict(zip(("flipped", "cropped", "jpeg_q30"), cosines, strict=True))
    return {k: round(v, 4) for k, v in (named | {"mean": float(np.mean(cosines))}).items()}


def log_probability(scores: np.ndarray, scale: float) -> np.ndarray:
    """Return the logarithm of the softmax of scaled cosines."""
    logits = (scores - scores.max(1, keepdims=True)) * scale
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def calibration_error(scores: np.ndarray, labels: np.ndarray, scale: float) -> float:
    """Return the expected gap between confidence and accuracy over ten bins."""
    p = np.exp(log_probability(scores, scale))
    confidence, right = p.max(1), p.argmax(1) == labels
    bins = np.clip((confidence * 10).astype(int), 0, 9)
    gaps = [abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(10)]
    return float(sum(gaps) / len(labels))


def calibrate(sets: list[Scores]) -> tuple[float, float]:
    """Return the scale with the least mean negative log-likelihood over label lists, and its error."""

    def cost(scale: float) -> float:
        return float(np.mean([-log_probability(s, scale)[np.arange(len(y)), y].mean() for s, y in sets]))

    best = float(min(np.geomspace(2, 100, 60), key=cost))
    return best, float(np.mean([calibration_error(s, y, best) for s, y in sets]))


def spread(scores: list[Scores]) -> dict[str, float]:
    """Return mean and standard deviation of the cosines of right and of wrong labels."""
    hits = [np.eye(s.shape[1], dtype=bool)[y] for s, y in scores]
    right = np.concatenate([s[h] for (s, _), h in zip(scores, hits, strict=True)])
    wrong = np.concatenate([s[~h] for (s, _), h in zip(scores, hits, strict=True)])
    parts = {"right": right, "wrong": wrong}
    return {f"{k}_{f}": round(float(getattr(v, f)()), 4) for k, v in parts.items() for f in ("mean", "std")}
