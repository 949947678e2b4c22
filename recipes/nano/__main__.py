"""One command from pictures and teachers to shipped weights; every step resumes what an earlier run left.

::

    teachers      what a MobileNet computes for six views of every picture        view*.npy
    text          MiniLM's sentences into a static table                          text-student.npz
    for the parts a, b and c of the sources, which one variant each never sees, and for all sources:
        train     an image student; the one for all goes on from a's              student-*.pt
        train     goes on, some pictures redrawn as drawings and cartoons
        soup      the mean of both
        export    ONNX in eight bits, tables, nano.json                           variant-*, the package
        embed     vectors that profiles are fitted on                             vectors-*.npy, texts-*.npy
    evaluate      zero-shot on the parts left out, and more                       results/nano.json
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from . import data

PHOTOS = 0.6
"""Share of the minutes without drawings."""


def main() -> None:
    """Run all steps in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared", type=Path, default=Path("../shared/data"), help="pictures, teachers, vectors, names"
    )
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for what the steps pass on (about 16 GB)"
    )
    parser.add_argument("--weights", default="src/sememe/data/nano", help="folder for what ships")
    parser.add_argument("--out", default="results/nano.json", help="file for what is measured")
    parser.add_argument(
        "--minutes",
        type=float,
        nargs=4,
        default=(84, 48, 48, 32),
        metavar=("A", "B", "C", "ALL"),
        help="to train without a, without b, without c, on all",
    )
    args = parser.parse_args()
    cache = ["--cache", str(args.cache)]
    both = ["--shared", str(args.shared), *cache]
    folders = ["--images", str(args.shared / "images"), "--teachers", str(args.shared / "teachers")]
    steps: list[tuple[str, list[str]]] = [("teachers", folders + cache), ("text", both)]
    for name, minutes in zip((*data.PARTS, "all"), args.minutes, strict=True):
        named, photos, drawn = ["--name", name], f"{name}-photos", f"{name}-drawn"
        weights = args.weights if name == "all" else str(args.cache / f"variant-{name}")
        left_out = ["--without"] if name == "all" else ["--without", name]
        begin = ["--start", "a-photos", "--rate", "0.3"] if name == "all" else []
        go_on = ["--start", photos, "--rate", "0.5", "--drawn", "0.1"]
        first, second = (str(minutes * share) for share in (PHOTOS, 1 - PHOTOS))
        steps += [
            ("train", [*both, "--name", photos, "--minutes", first, *left_out, *begin]),
            ("train", [*both, "--name", drawn, "--minutes", second, *left_out, *go_on]),
            ("soup", [*cache, "--of", photos, drawn, *named]),
            ("export", [*both, *named, "--out", weights]),
            ("embed", [*both, *named, "--weights", weights]),
        ]
    steps.append(("evaluate", [*both, "--weights", args.weights, "--out", args.out]))
    args.cache.mkdir(parents=True, exist_ok=True)
    for name, options in steps:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"recipes.nano.{name}", *options], check=True)


if __name__ == "__main__":
    main()
