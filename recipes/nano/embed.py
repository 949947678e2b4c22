"""Embed pictures and some thousand names with an exported backbone, as users run it.

    pictures ─backbone─► vectors-NAME.npz        names ─backbone─► texts-NAME.npz

A profile is fitted on them, and the figures of the model card come from them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sememe.backbones.nano import NanoBackbone
from sememe.types import Json

from . import data
from .measure import label_vectors, open_jpeg
from .space import common_names, imagenet_names


def manifest(nano: NanoBackbone, **provenance: Json) -> dict[str, Json]:
    """Say what a profile of this backbone is for."""
    return {
        "profile_id": "nano",
        "space_id": nano.space_id,
        "backbone_id": nano.backbone_id,
        "preprocessing": dict(nano.preprocessing),
        "provenance": {**provenance, "text": ["names of visible things"]},
    }


def load_vectors(cache: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors (n, 256) of all pictures, NaN where none was made, and of the names (m, 256)."""
    vectors, texts = (np.load(cache / f"{kind}-{name}.npy") for kind in ("vectors", "texts"))
    return vectors.astype(np.float32), texts.astype(np.float32)


def embed_rows(nano: NanoBackbone, images: Path, pictures: data.Pictures, wanted: np.ndarray) -> np.ndarray:
    """Embed the pictures that `wanted` (bool) names; the others' rows are NaN."""
    out = np.full((len(pictures), nano.dim), np.nan, np.float32)
    for shard, path in enumerate(data.shards(images)):
        first = int(np.flatnonzero(pictures.shard == shard)[0])
        jpegs = data.read_jpegs(path)
        chosen = [i for i in range(len(jpegs)) if wanted[first + i]]
        out[[first + i for i in chosen]] = nano.embed_images([open_jpeg(jpegs[i]) for i in chosen])
        print(f"embedded shard {shard + 1}", flush=True)
    return out


def main() -> None:
    """Write ``vectors-NAME.npy`` and ``texts-NAME.npy`` into the cache."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True, help="folder of the exported backbone")
    parser.add_argument("--name", required=True, help="part that the backbone never saw, or all")
    parser.add_argument("--most", type=int, default=12000, help="pictures of the training sources")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    nano = NanoBackbone(folder=args.weights, threads=args.threads)
    pictures = data.read_pictures(args.shared / "images")
    wanted = np.isin(pictures.source, data.left_out([args.name]))
    wanted[np.random.default_rng(0).permutation(np.flatnonzero(~wanted))[: args.most]] = True
    vectors = embed_rows(nano, args.shared / "images", pictures, wanted)
    np.save(args.cache / f"vectors-{args.name}.npy", vectors.astype(np.float16))
    names = sorted({*common_names(args.shared / "text"), *imagenet_names(args.shared / "teachers")})
    texts = label_vectors(nano, names)
    np.save(args.cache / f"texts-{args.name}.npy", texts.astype(np.float16))
    print(f"{wanted.sum()} picture vectors and {len(texts)} text vectors in {args.cache}")


if __name__ == "__main__":
    main()
