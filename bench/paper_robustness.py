"""How robust meaning is: rounding and noise of equal variance, in CLIP's vectors, in nano's, and in pixels.

After Bachard and Maugey, 2024. A step Δ makes an error of variance Δ² / 12; the noise is Gaussian of that
variance. What the three signals have in common is the ratio of their own variance to that of the error, in
decibels.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import figures
import output
import split
from sememe import backbones, metrics
from sememe.evaluate.coders.scalars import ScalarFitted
from sememe.types import Backbone

STEPS = (0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.24)
PIXEL_STEPS = (8, 16, 32, 64, 96, 128, 192)
SOURCE, PICTURES, SIDE = "pacs_photo", 300, 112
LOGIT_SCALE = 100.0
"""CLIP's own: what a cosine is multiplied by before the softmax."""

Floats = NDArray[np.floating]


def study(parts: split.Split, judge: figures.Judge, images: Path) -> dict[str, Any]:
    """Measure all three signals."""
    assert judge.zero_shot is not None
    zero_shot = judge.zero_shot
    found: dict[str, Any] = {
        "clip": {
            "pictures": len(zero_shot.x),
            "classes": len(zero_shot.names),
            **_vector_rows(zero_shot.x, zero_shot.text, zero_shot.y, parts.fit.x),
        }
    }
    squares, names = read_squares(images)
    classes = sorted(set(names))
    labels = np.array([classes.index(name) for name in names])
    nano = backbones.load("nano")
    text = nano.embed_texts([f"a photo of a {name}" for name in classes])
    clean = _embed(nano, squares)
    about = {"source": SOURCE, "pictures": len(squares), "classes": classes}
    found["nano"] = {**about, **_vector_rows(clean, text, labels, clean)}
    found["pixels"] = {**about, **_pixel_rows(squares, clean, text, labels, nano)}
    return found


def read_squares(images: Path) -> tuple[NDArray[np.uint8], list[str]]:
    """Read the first pictures of `SOURCE` as centre squares (n, 112, 112, 3), and their concepts."""
    import pyarrow.parquet as pq

    squares: list[NDArray[np.uint8]] = []
    names: list[str] = []
    for path in sorted(images.glob("train-*.parquet")):
        table = pq.read_table(path, columns=["jpg", "concept", "source"], filters=[("source", "==", SOURCE)])
        for jpg, name in zip(table["jpg"].to_pylist(), table["concept"].to_pylist(), strict=True):
            squares.append(_square(Image.open(io.BytesIO(jpg)).convert("RGB")))
            names.append(name)
        if len(names) >= PICTURES:
            break
    return np.stack(squares[:PICTURES]), names[:PICTURES]


def errors(clean: Floats, changed: Floats, text: Floats, labels: NDArray[np.integer]) -> dict[str, float]:
    """Compare changed unit vectors with clean ones.

    Returns
    -------
    dict
        Mean cosine; zero-shot accuracy; share of decisions that stay; root mean square error of logits, at
        CLIP's scale, less the shift that all classes of a picture share, which no softmax sees.
    """
    before, after = LOGIT_SCALE * clean @ text.T, LOGIT_SCALE * changed @ text.T
    moved = after - before
    moved = moved - moved.mean(axis=1, keepdims=True)
    return output.rounded(
        {
            "cosine": float(metrics.cosine(clean, changed).mean()),
            "zero_shot": metrics.top_k_accuracy(after, labels),
            "agreement": metrics.agreement(before, after),
            "logit_error": float(np.sqrt(np.square(moved).mean())),
        }
    )


def _vector_rows(
    x: split.Vectors, text: split.Vectors, labels: NDArray[np.integer], fit: split.Vectors
) -> dict[str, Any]:
    """Round and disturb vectors; beside it the mean length of messages, if tables come from other vectors."""
    centre = fit.mean(axis=0, dtype=np.float64).astype(np.float32)
    variance = float(np.square(fit - centre).mean())
    rng = np.random.default_rng(0)
    rows = []
    for step in STEPS:
        rounded = metrics.unit_rows(np.rint((x - centre) / np.float32(step)) * np.float32(step) + centre)
        noisy = metrics.unit_rows(x + rng.normal(0, step / np.sqrt(12), x.shape).astype(np.float32))
        row: dict[str, Any] = {"step": step, "decibels": _decibels(variance, step)}
        if fit is not x:
            codes = ScalarFitted(fit, centre, np.full_like(centre, 1 / step)).encode(x)
            row["bytes"] = round(sum(map(len, codes)) / len(codes), 2)
        rows.append(
            row | {"rounded": errors(x, rounded, text, labels), "noisy": errors(x, noisy, text, labels)}
        )
    return {"clean": errors(x, x, text, labels), "steps": rows}


def _pixel_rows(
    squares: NDArray[np.uint8], clean: Floats, text: Floats, labels: NDArray[np.integer], nano: Backbone
) -> dict[str, Any]:
    """Round and disturb pixels; the mean length of the rounded pictures as PNG beside it."""
    variance = float(squares.astype(np.float64).var(axis=(0, 1, 2)).mean())
    rng = np.random.default_rng(0)
    rows = []
    for step in PIXEL_STEPS:
        output.note(f"pixels, step {step}")
        rounded = _as_pixels((np.floor(squares / np.float32(step)) + 0.5) * step)
        noisy = _as_pixels(squares + rng.normal(0, step / np.sqrt(12), squares.shape))
        row: dict[str, Any] = {"step": step, "decibels": _decibels(variance, step)}
        row["bytes"] = round(float(np.mean([_png_bytes(square) for square in rounded])), 1)
        for name, changed in (("rounded", rounded), ("noisy", noisy)):
            row[name] = errors(clean, _embed(nano, changed), text, labels)
        rows.append(row)
    return {"clean": errors(clean, clean, text, labels), "steps": rows}


def _decibels(variance: float, step: float) -> float:
    return round(10 * float(np.log10(12 * variance / step**2)), 1)


def _as_pixels(values: Floats) -> NDArray[np.uint8]:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _square(image: Image.Image) -> NDArray[np.uint8]:
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box))


def _embed(nano: Backbone, squares: NDArray[np.uint8]) -> split.Vectors:
    return nano.embed_images([Image.fromarray(square) for square in squares])


def _png_bytes(square: NDArray[np.uint8]) -> int:
    file = io.BytesIO()
    Image.fromarray(square).save(file, "PNG", optimize=True)
    return file.tell()
