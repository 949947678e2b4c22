"""Embed every picture and some thousand names with the exported backbone, to fit the `nano` profile on."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sememe.backbones.nano import NanoBackbone

from . import data
from .evaluate import embed_rows, label_vectors
from .space import common_names


def main() -> None:
    """Write ``vectors.npz`` and ``text.npz`` into the cache."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=Path("src/sememe/data/nano"))
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    nano = NanoBackbone(folder=args.weights, threads=args.threads)
    pictures = data.read_pictures(args.shared / "images")
    vectors = embed_rows(nano, args.shared / "images", pictures, np.arange(len(pictures)))
    columns = {c: getattr(pictures, c) for c in ("key", "source", "concept", "domain")}
    left_out = np.isin(pictures.source, data.LEFT_OUT)
    np.savez(args.cache / "vectors.npz", x=vectors.astype(np.float16), left_out=left_out, **columns)
    concepts = sorted(set(pictures.concept.tolist()) - {""})
    names = concepts + sorted(set(common_names(args.shared / "text")) - set(concepts))
    texts = label_vectors(nano.embed_texts, names).astype(np.float16)
    np.savez(
        args.cache / "text.npz", x=texts, names=np.array(names), concept=np.arange(len(names)) < len(concepts)
    )
    print(f"{vectors.shape} picture vectors and {texts.shape} text vectors in {args.cache}")


if __name__ == "__main__":
    main()
