"""What the code keeps of nano's vectors, on sources that neither the model nor the profile learned from.

Needs the vectors that `python -m recipes.nano.embed` writes: `--vectors` and `--texts`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import output
import split
from sememe.metrics import cosine
from sememe.profile import load

BYTES = (4, 8, 16, 32, 64)

Vectors = NDArray[np.float32]


def top_one(x: Vectors, texts: Vectors, names: NDArray[np.str_]) -> NDArray[np.str_]:
    """(n,) nearest name of each picture."""
    return names[(x @ texts.T).argmax(axis=1)]


def judge(
    x: Vectors, decoded: Vectors, concepts: NDArray[np.str_], texts: dict[str, Vectors]
) -> dict[str, float]:
    """Figures of one source: zero-shot among its own concepts, and agreement with the uncompressed answer."""
    names = np.unique(concepts)
    vectors = np.stack([texts[name] for name in names])
    before, after = top_one(x, vectors, names), top_one(decoded, vectors, names)
    return {
        "zero_shot": float((after == concepts).mean()),
        "zero_shot_uncompressed": float((before == concepts).mean()),
        "agreement": float((after == before).mean()),
    }


def main() -> None:
    """Measure every left-out source at every length."""
    parser = output.parser(__doc__)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--texts", type=Path, required=True)
    args = parser.parse_args()
    file, text = np.load(args.vectors), np.load(args.texts)
    left = file["left_out"]
    x, sources, concepts = split.unit_rows(file["x"][left]), file["source"][left], file["concept"][left]
    texts = dict(zip(text["names"].tolist(), split.unit_rows(text["x"]), strict=True))
    profile = load("nano")
    codes = profile.encode(x, max(BYTES))
    rows: dict[str, Any] = {}
    for nbytes in BYTES:
        decoded = profile.decode(codes[:, :nbytes])
        figures = {
            name: output.rounded(judge(x[own], decoded[own], concepts[own], texts), 3)
            for name in np.unique(sources).tolist()
            for own in [sources == name]
        }
        rows[str(nbytes)] = {"cosine": round(float(cosine(x, decoded).mean()), 4), "sources": figures}
    output.emit({"pictures": len(x), "fingerprint": profile.fingerprint.hex(), "bytes": rows}, args.output)


if __name__ == "__main__":
    main()
