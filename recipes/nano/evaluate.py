"""Measure the exported backbone, as users run it, on left-out sources; writes ``results/nano.json``.

The same run fits the logit scale and the statistics that the package ships beside the weights. Accuracy
depends on neither.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageOps

from sememe.backbones.nano import NanoBackbone

from . import data
from .space import Space, load_or_fit, unit
from .targets import Mix

TEMPLATES = ("{}", "a photo of a {}", "a picture of the {}")

#: Cosines (n, k) of pictures with labels, and the right label of each.
Scores: TypeAlias = tuple[np.ndarray, np.ndarray]


def open_jpeg(jpg: bytes) -> Image.Image:
    """Decode one training-set JPEG."""
    return Image.open(io.BytesIO(jpg)).convert("RGB")


def embed_rows(nano: NanoBackbone, images: Path, pictures: data.Pictures, rows: np.ndarray) -> np.ndarray:
    """Embed the pictures of some rows through the runtime, in row order."""
    out = np.zeros((len(pictures), nano.dim), np.float32)
    wanted = np.zeros(len(pictures), bool)
    wanted[rows] = True
    for shard, path in enumerate(data.shards(images)):
        first = int(np.flatnonzero(pictures.shard == shard)[0])
        jpegs = data.read_jpegs(path)
        chosen = [i for i in range(len(jpegs)) if wanted[first + i]]
        out[[first + i for i in chosen]] = nano.embed_images([open_jpeg(jpegs[i]) for i in chosen])
        print(f"embedded shard {shard + 1}", flush=True)
    return out[rows]


def label_vectors(embed: Callable[[list[str]], np.ndarray], names: list[str]) -> np.ndarray:
    """Average the vectors of a few templates."""
    return unit(np.mean([embed([t.format(n) for n in names]) for t in TEMPLATES], axis=0))


def zero_shot(vectors: np.ndarray, labels: np.ndarray, names: np.ndarray) -> dict[str, float]:
    """Return top-1 and top-5 accuracy in percent."""
    scores = vectors @ names.T
    order = np.argsort(-scores, axis=1)[:, :5]
    hit = order == labels[:, None]
    return {"top1": percent(hit[:, 0].mean()), "top5": percent(hit.any(1).mean())}


def percent(share: float) -> float:
    """Round to a tenth of a percent."""
    return round(100 * float(share), 1)


def text_to_image(vectors: np.ndarray, concepts: np.ndarray, names: list[str], queries: np.ndarray) -> float:
    """Return the share of right pictures among the ten that a name finds, of those there could be."""
    found = []
    for name, query in zip(names, queries, strict=True):
        best = np.argsort(-(vectors @ query))[:10]
        found.append((concepts[best] == name).sum() / min(10, (concepts == name).sum()))
    return percent(float(np.mean(found)))


def changed(image: Image.Image) -> list[Image.Image]:
    """Return a picture flipped, cropped to 90 % and saved as a bad JPEG."""
    w, h = image.size
    file = io.BytesIO()
    image.save(file, "JPEG", quality=30)
    crop = image.crop((round(0.05 * w), round(0.05 * h), round(0.95 * w), round(0.95 * h)))
    return [ImageOps.mirror(image), crop, Image.open(file)]


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


def latency(nano: NanoBackbone) -> dict[str, float]:
    """Return milliseconds of one image and of one text on one thread."""
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8))
    texts = [f"a photo of a {w} dog in the snow" for w in ("small", "large", "brown", "wet", "happy")] * 20
    return {
        "image": _milliseconds(lambda: nano.embed_images([image]), 30),
        "text": _milliseconds(lambda: nano.embed_texts(texts), 5, per_call=len(texts)),
    }


def _milliseconds(call: Callable[[], object], repeats: int, *, per_call: int = 1) -> float:
    """Return processor milliseconds of one item."""
    call()
    start = time.process_time()
    for _ in range(repeats):
        call()
    return round(1000 * (time.process_time() - start) / repeats / per_call, 2)


def against_float(cache: Path, nano: NanoBackbone, pictures: list[Image.Image]) -> dict[str, float]:
    """Compare the shipped eight-bit network with the float one."""
    import onnxruntime

    session = onnxruntime.InferenceSession(cache / "image-float.onnx", providers=["CPUExecutionProvider"])
    pixels = np.stack([nano.preprocess(p) for p in pictures])
    exact = unit(session.run(None, {"pixels": pixels})[0])
    cosine = (exact * nano.embed_images(pictures)).sum(1)
    return {"mean": round(float(cosine.mean()), 5), "least": round(float(cosine.min()), 5)}


@dataclass(frozen=True)
class HeldOut:
    """The labelled pictures of the left-out sources: our vectors, the teacher mix, names, sources."""

    vectors: np.ndarray
    teacher: np.ndarray
    concept: np.ndarray
    source: np.ndarray


def held_out(nano: NanoBackbone, mix: Mix, pictures: data.Pictures, args: argparse.Namespace) -> HeldOut:
    """Embed the left-out pictures with the runtime and with the teachers."""
    rows = np.flatnonzero(np.isin(pictures.source, data.LEFT_OUT) & (pictures.concept != ""))
    said = [np.load(args.cache / f"view0.tf2.{k}.npy", mmap_mode="r")[rows] for k in ("logits", "pool")]
    vectors = embed_rows(nano, args.shared / "images", pictures, rows)
    return HeldOut(vectors, mix(*said), pictures.concept[rows], pictures.source[rows])


def by_source(nano: NanoBackbone, space: Space, held: HeldOut) -> tuple[dict[str, object], list[Scores]]:
    """Return zero-shot accuracy for each source, and the scores and labels it comes from."""
    report: dict[str, object] = {}
    scores: list[Scores] = []
    for source in data.LEFT_OUT:
        mine = held.source == source
        names = sorted(set(held.concept[mine].tolist()))
        labels = np.array([names.index(c) for c in held.concept[mine]])
        texts, taught = label_vectors(nano.embed_texts, names), space.texts(names)
        scores.append((held.vectors[mine] @ texts.T, labels))
        report[source] = {
            "pictures": len(labels),
            "classes": len(names),
            "chance": percent(1 / len(names)),
            "nano": zero_shot(held.vectors[mine], labels, texts),
            "nano_pictures_teacher_texts": zero_shot(held.vectors[mine], labels, taught),
            "teacher_mix": zero_shot(held.teacher[mine], labels, taught),
        }
    return report, scores


def searches(nano: NanoBackbone, space: Space, held: HeldOut) -> dict[str, float]:
    """Return how well names find pictures, ours and the teacher mix's."""
    names = sorted(set(held.concept.tolist()))
    ours, taught = label_vectors(nano.embed_texts, names), space.texts(names)
    return {
        "nano": text_to_image(held.vectors, held.concept, names, ours),
        "teacher_mix": text_to_image(held.teacher, held.concept, names, taught),
    }


def spread(scores: list[Scores]) -> dict[str, float]:
    """Return mean and standard deviation of the cosines of right and of wrong labels."""
    hits = [np.eye(s.shape[1], dtype=bool)[y] for s, y in scores]
    right = np.concatenate([s[h] for (s, _), h in zip(scores, hits, strict=True)])
    wrong = np.concatenate([s[~h] for (s, _), h in zip(scores, hits, strict=True)])
    parts = {"right": right, "wrong": wrong}
    return {f"{k}_{f}": round(float(getattr(v, f)()), 4) for k, v in parts.items() for f in ("mean", "std")}


def sample_of(images: Path, pictures: data.Pictures, count: int = 300) -> list[Image.Image]:
    """Return some left-out pictures."""
    jpegs = data.read_jpegs(data.shards(images)[0])
    left = np.isin(pictures.source[: len(jpegs)], data.LEFT_OUT)
    return [open_jpeg(j) for j, keep in zip(jpegs, left, strict=True) if keep][:count]


def steadiness(nano: NanoBackbone, sample: list[Image.Image]) -> dict[str, float]:
    """Return the mean cosine between pictures and their changed versions."""
    base = nano.embed_images(sample)
    kinds = zip(*map(changed, sample), strict=True)
    cosines = [float((nano.embed_images(list(k)) * base).sum(1).mean()) for k in kinds]
    named = dict(zip(("flipped", "cropped", "jpeg_q30"), cosines, strict=True))
    return {k: round(v, 4) for k, v in (named | {"mean": float(np.mean(cosines))}).items()}


def measure(nano: NanoBackbone, args: argparse.Namespace) -> dict[str, object]:
    """Return the whole report."""
    pictures = data.read_pictures(args.shared / "images")
    space = load_or_fit(args.cache, pictures, args.shared)
    held = held_out(nano, Mix(args.cache, pictures, space, args.shared / "teachers"), pictures, args)
    sources, scores = by_source(nano, space, held)
    scale, error = calibrate(scores)
    sample = sample_of(args.shared / "images", pictures)
    sizes = {p.name: p.stat().st_size for p in sorted(args.weights.iterdir())}
    return {
        "left_out": list(data.LEFT_OUT),
        "zero_shot_percent": sources,
        "text_to_image_recall_at_10_percent": searches(nano, space, held),
        "cosine_after_change": steadiness(nano, sample),
        "eight_bit_against_float_cosine": against_float(args.cache, nano, sample),
        "text_cosine_to_teacher_on_new_phrases": round(
            float(np.load(args.cache / "text-student.npz")["cosine"]), 3
        ),
        "milliseconds_one_thread": latency(nano),
        "bytes": sizes | {"total": sum(sizes.values())},
        "logit_scale": round(scale, 2),
        "expected_calibration_error": round(error, 3),
        "statistics": spread(scores),
    }


def main() -> None:
    """Measure with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("src/sememe/data/nano"))
    parser.add_argument("--out", type=Path, default=Path("results/nano.json"))
    args = parser.parse_args()
    report = measure(NanoBackbone(folder=args.weights), args)
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    card = json.loads((args.weights / "nano.json").read_text())
    card |= {k: report[k] for k in ("logit_scale", "statistics")}
    (args.weights / "nano.json").write_text(json.dumps(card, indent=1, sort_keys=True) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
