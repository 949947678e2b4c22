"""One command from pictures to the weights of `draw`; every step resumes what an earlier run left.

::

    data            squares of 64 pixels, vectors, what codes keep    squares, vectors, decoded
    train_flow      from vector and colour layout to tokens           patches.npz, flow.pt
    train_decoder   from tokens to pixels                             decoder.pt
    export          two ONNX networks in eight bits, and their card   the package

`bench/draw.py` measures the result on pictures that no step learned from (`data.split`).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run all steps in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"), help="the pictures")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what the steps pass on (1 GB)")
    parser.add_argument(
        "--nano-cache", type=Path, help="what recipes.nano left behind; the same folder by default"
    )
    parser.add_argument("--weights", default="src/sememe/data/draw", help="folder for what ships")
    parser.add_argument(
        "--minutes",
        type=float,
        nargs=2,
        default=(33.5, 6.5),
        metavar=("FLOW", "DECODER"),
        help="minutes of processor for each network",
    )
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    cache = ["--cache", str(args.cache)]
    given = ["--shared", str(args.shared), *cache, "--nano-cache", str(args.nano_cache or args.cache)]
    steps = {
        "data": given,
        "train_flow": [*given, "--minutes", str(args.minutes[0])],
        "train_decoder": [*given, "--minutes", str(args.minutes[1])],
        "export": [*cache, "--out", args.weights],
    }
    for name, options in steps.items():
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"recipes.draw.{name}", *options], check=True)


if __name__ == "__main__":
    main()
