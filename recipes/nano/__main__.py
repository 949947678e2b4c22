"""One command from pictures and teachers to shipped weights; every step resumes what an earlier run left.

::

    teachers    what a MobileNet says about four views of every picture         view*.npy
    text        MiniLM's sentences into a static table                          text-student.npz
    train       the image student                                               student-*.pt
    export      ONNX in eight bits, tables, nano.json                           src/sememe/data/nano
    evaluate    zero-shot on the sources left out                               results/nano.json
    embed       vectors that the profile is fitted on                           vectors.npz, text.npz
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run all steps in order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--shared", type=Path, default=Path("../shared/data"), help="pictures, teachers, vectors, names"
    )
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for what the steps pass on (about 6 GB)"
    )
    parser.add_argument("--minutes", type=float, default=74, help="time for the image student")
    args = parser.parse_args()
    shared, cache = ["--shared", str(args.shared)], ["--cache", str(args.cache)]
    folders = ["--images", str(args.shared / "images"), "--teachers", str(args.shared / "teachers")]
    steps: list[tuple[str, list[str]]] = [
        ("teachers", folders + cache),
        ("text", shared + cache),
        ("train", [*shared, *cache, "--minutes", str(args.minutes)]),
        ("export", cache),
        ("evaluate", shared + cache),
        ("embed", shared + cache),
    ]
    args.cache.mkdir(parents=True, exist_ok=True)
    for name, options in steps:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"recipes.nano.{name}", *options], check=True)


if __name__ == "__main__":
    main()
