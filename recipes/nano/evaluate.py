"""Measure what ships and how well it was learned; writes ``results/nano.json``.

Accuracy on a source is that of the variant which never saw the source: the one without part a, b or c
(`data.PARTS`), each exported and run as users run it. Code figures come from a profile that
was fitted without the part, too. Size and text are measured on the shipped files. The logit scale
and the statistics that ship beside the weights are fitted on part a's scores; accuracy depends on neither.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from sememe.backbones.nano import NanoBackbone

from . import data, freetext, gallery, rejection
from .export import write_card
from .heldout import by_source, held_out, searches
from .measure import calibrate, open_jpeg, spread, steadiness
from .space import load_or_fit, unit
from .train import checkpoint


def against_float(cache: Path, nano: NanoBackbone, pictures: list[Image.Image]) -> dict[str, float]:
    """Compare the shipped eight-bit network with the float one."""
    import onnxruntime

    session = onnxruntime.InferenceSession(cache / "image-float.onnx", providers=["CPUExecutionProvider"])
    pixels = np.stack([nano.preprocess(p) for p in pictures])
    exact = unit(session.run(None, {"pixels": pixels})[0])
    cosine = (exact * nano.embed_images(pictures)).sum(1)
    return {"mean": round(float(cosine.mean()), 5), "least": round(float(cosine.min()), 5)}


def sample_of(images: Path, count: int = 300) -> list[Image.Image]:
    """Return some pictures of the first part."""
    pictures = data.read_pictures(images)
    jpegs = data.read_jpegs(data.shards(images)[0])
    wanted = np.isin(pictures.source[: len(jpegs)], data.PARTS["a"])
    return [open_jpeg(j) for j, keep in zip(jpegs, wanted, strict=True) if keep][:count]


def schooling(cache: Path, name: str) -> dict[str, int]:
    """Return how long a student was trained, and the one it went on from, from its checkpoint."""
    stored = torch.load(checkpoint(cache, name), map_location="cpu")
    seen, spent = (stored[k] + stored.get("before", {}).get(k, 0) for k in ("seen", "spent"))
    return {"pictures_seen": seen, "seconds": round(spent)}


def measure(args: argparse.Namespace) -> dict[str, object]:
    """Return the whole report."""
    space = load_or_fit(args.cache, args.shared)
    held = {part: held_out(part, args) for part in data.PARTS}
    by_part = {part: by_source(space, h) for part, h in held.items()}
    tested = [t for found in by_part.values() for t in found]
    scores = [(t.scores, t.labels) for t in by_part["a"]]  # the shipped network went on from this variant
    scale, error = calibrate(scores)
    answers = [gallery.answers(t, scale) for t in tested]
    gallery.write(args.cache / "gallery.html", args.shared / "images", answers)
    shipped = NanoBackbone(folder=args.weights)
    sample = sample_of(args.shared / "images")
    steady = NanoBackbone(folder=args.cache / "variant-a")
    sizes = {p.name: p.stat().st_size for p in sorted(args.weights.iterdir())}
    return {
        "left_out": {part: list(sources) for part, sources in data.PARTS.items()},
        "training": {name: schooling(args.cache, name) for name in args.names},
        "zero_shot_percent": {t.source: t.figures for t in tested},
        "commonest_mistakes": {a.source: gallery.confusions(a) for a in answers},
        "text_to_image_recall_at_10_percent": {part: searches(space, h) for part, h in held.items()},
        "none_of_these_percent": {part: rejection.measure(h) for part, h in held.items()},
        "cosine_after_change": steadiness(steady, sample),
        "eight_bit_against_float_cosine": against_float(args.cache, shipped, sample),
        "free_text": freetext.measure(shipped.embed_texts, space.texts),
        "text_cosine_to_teacher_on_new_phrases": round(
            float(np.load(args.cache / "text-student.npz")["cosine"]), 3
        ),
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
    parser.add_argument("--names", nargs="+", default=[*data.PARTS, "all"], help="training runs to describe")
    parser.add_argument("--out", type=Path, default=Path("results/nano.json"))
    args = parser.parse_args()
    report = measure(args)
    args.out.parent.mkdir(exist_ok=True)
    args.out.write_text(json.dumps(report, indent=1) + "\n")
    write_card(args.weights, data.STUDENT_SIDE, **{k: report[k] for k in ("logit_scale", "statistics")})
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
