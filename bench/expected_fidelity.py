"""How well a code tells its own fidelity without the original (`api.generating.expected_fidelity`).

Test vectors of CLIP ViT-B/32, in codes of the shipped profile: the cosine that each code has, beside the one
that the code alone leads one to expect.
"""

from __future__ import annotations

import numpy as np

import output
import split
from sememe import metrics, profile
from sememe.api.generating import CONTINUATIONS, expected_fidelity

LENGTHS = (4, 8, 16, 32, 64)


def main() -> None:
    """Measure every length on the same vectors."""
    parser = output.parser(__doc__)
    parser.add_argument("--images", type=int, default=100, help="test vectors, evenly spread over all")
    args = parser.parse_args()
    made = profile.load("clip-vit-b32")
    x = split.load_split(args.data).test.x
    x = x[:: max(1, len(x) // args.images)][: args.images]
    rows = {}
    for nbytes in LENGTHS:
        codes = made.encode(x, nbytes)
        found = metrics.cosine(x, made.decode(codes))
        expected = np.array([expected_fidelity(made, code.tobytes()) for code in codes])
        rows[str(nbytes)] = output.rounded(
            {
                "cosine": found.mean(),
                "expected": expected.mean(),
                "off_by": np.abs(found - expected).mean(),
                "correlation": np.corrcoef(found, expected)[0, 1],
            }
        )
    output.emit({"images": len(x), "continuations": CONTINUATIONS, "bytes": rows}, args.output)


if __name__ == "__main__":
    main()
