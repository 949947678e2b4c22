"""What decoded pictures and decoded codes are asked, and how their bytes are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import output
import picture_pool
from sememe import metrics
from sememe.evaluate.imagecodecs import Sizes
from sememe.types import Backbone
from sememe.zeroshot import embed_labels

TEMPLATES = ("{}", "a photo of a {}", "a picture of the {}")
CLIP_SIDE = 224

Floats = NDArray[np.floating]
Row = dict[str, Any]


@dataclass(frozen=True)
class Judge:
    """What every way of coding is asked: the same pictures, names and queries."""

    pool: picture_pool.Pool
    x: Floats
    queries: Floats
    texts: dict[str, Floats]

    @classmethod
    def of(cls, pool: picture_pool.Pool, backbone: Backbone) -> Judge:
        """Embed pictures and names."""
        texts = {
            source: embed_labels(names, backbone, template=TEMPLATES) for source, names in pool.names.items()
        }
        x, queries = (backbone.embed_images([p.image for p in part]) for part in (pool.test, pool.queries))
        return cls(pool, x, queries, texts)

    def said(self, vectors: Floats) -> list[str]:
        """Name what each vector shows, among the names of its source."""
        return [
            self.pool.names[p.source][int(np.argmax(self.texts[p.source] @ row))]
            for p, row in zip(self.pool.test, vectors, strict=True)
        ]

    def right(self, vectors: Floats) -> NDArray[np.bool_]:
        """Say which pictures get the name that they have."""
        return np.array([a == p.concept for a, p in zip(self.said(vectors), self.pool.test, strict=True)])

    def figures(self, vectors: Floats) -> Row:
        """Judge vectors that stand for the test pictures, row by row."""
        right, sources = self.right(vectors), np.array([p.source for p in self.pool.test])
        agree = [a == b for a, b in zip(self.said(vectors), self.said(self.x), strict=True)]
        low, high = metrics.wilson(float(right.mean()), len(right))
        found = {
            "zero_shot": right.mean(),
            "agreement": np.mean(agree),
            "cosine": metrics.cosine(self.x, vectors).mean(),
            "recall_at_10": metrics.recall_at(self.queries, self.x, vectors, k=10),
        }
        return {
            **output.rounded(found),
            "zero_shot_interval": [round(low, 4), round(high, 4)],
            "by_source": output.rounded({s: right[sources == s].mean() for s in self.texts}),
            "right": np.packbits(right).tobytes().hex(),
        }

    def bpp(self, sizes: Sizes) -> dict[str, float]:
        """Relate bits to the pixels coded, to what CLIP looks at, and to the originals that nobody coded."""
        original = float(np.mean([p.pixels for p in self.pool.test]))
        counts = {"stored": picture_pool.SIDE**2, "clip": CLIP_SIDE**2, "original": original}
        return {name: round(sizes.bpp(pixels), 5) for name, pixels in counts.items()}

    def sizes(self, messages: Sequence[bytes], files: Sequence[bytes]) -> Row:
        """Count bytes, and bits per pixel of messages."""
        counted = {"message": Sizes.of(messages), "file": Sizes.of(files)}
        return {
            "bytes": {name: output.rounded(asdict(sizes), 2) for name, sizes in counted.items()},
            "bpp": {name: self.bpp(sizes) for name, sizes in counted.items()},
        }
