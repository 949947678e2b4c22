"""How much meaning is kept on whole sets that training never saw, beside FAISS fitted on the same vectors.

The FAISS rows are copied from `results/baselines.json`, which `baselines.py` measures on the same splits.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import baselines
import figures
import ours
import output
import split
from sememe.profile import Profile

METHODS = ("sememe", "rq", "opq")


def main() -> None:
    """Measure both splits, then average over all sets left out."""
    parser = output.parser(__doc__)
    parser.add_argument("--baselines", type=Path, default=output.RESULTS / "baselines.json")
    args = parser.parse_args()
    measured = json.loads(args.baselines.read_text(encoding="utf-8"))
    result = {}
    for left in split.LEFT_OUT:
        name = baselines.left_out_name(left)
        result[name] = {**_measure(left, args), **{method: measured[name][method] for method in METHODS[1:]}}
    output.emit({**result, "average": average(result)}, args.output)


def average(result: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Average the figures of each method at each length over all sets left out, each set counting once."""
    made: dict[str, dict[str, dict[str, float]]] = {}
    for method in METHODS:
        made[method] = {}
        for nbytes in next(iter(result.values()))[method]:
            rows = [
                figure
                for variant in result.values()
                for name, figure in variant[method][nbytes].items()
                if name != "mean"
            ]
            made[method][nbytes] = output.rounded(
                {key: float(np.mean([r[key] for r in rows])) for key in rows[0]}
            )
    return made


def universal_shares(profile: Profile, parts: split.Split) -> dict[str, float]:
    """Share of vectors coded in the universal mode: of pictures, and of vectors like no picture.

    *mirrored*: test vectors reflected in the training mean. *shuffled*: their differences from the mean with
    dimensions permuted. *directions*: drawn evenly from the sphere, where no mode, the universal one
    included, is anywhere near.
    """
    rng, mean, x = np.random.default_rng(0), parts.mean, parts.test.x
    asked = {
        "fit": parts.fit.x,
        **{name: parts.test.of(name).x for name in parts.names},
        "mirrored": 2 * mean - x,
        "shuffled": mean + (x - mean)[:, rng.permutation(profile.dim)],
        "directions": rng.normal(size=(1000, profile.dim)).astype(np.float32),
    }
    return output.rounded({name: float(profile.uses_universal_mode(x).mean()) for name, x in asked.items()})


def _measure(left: tuple[str, ...], args: argparse.Namespace) -> dict[str, Any]:
    parts = split.load_leave_out(args.data, left)
    profile, facts = ours.fit_profile(parts, args.data)
    codes = profile.encode(parts.test.x, max(ours.BYTES))
    rows = {str(n): figures.per_set(parts, profile.decode(codes[:, :n]), args.data) for n in ours.BYTES}
    facts["universal_mode"] = universal_shares(profile, parts)
    return {**facts, "uncompressed": figures.per_set(parts, parts.test.x, args.data), "sememe": rows}


if __name__ == "__main__":
    main()
