"""How fast one core encodes, decodes and starts the command line.

Runs itself again on one core with one thread. A busy machine shows in `wall` but hardly in `cpu`, so both
are given; the targets of the project are about an idle machine, where the two agree.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import output
import overhead
import split
from sememe.profile import load

BATCH = 10_000
NBYTES = 16
RUNS = 7
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def main() -> None:
    """Measure vectors per second, then start-up times."""
    parser = output.parser(__doc__)
    parser.add_argument("--profile", default="clip-vit-b32", help="profile to measure with")
    args = parser.parse_args()
    on_one_core()
    result = {
        "load_average": os.getloadavg()[0],
        "runs": RUNS,
        **vectors(args),
        "coder": coder(),
        "start": start_up(),
    }
    output.emit(result, args.output)


def on_one_core() -> None:
    """Start this script again, bound to one core and one thread, unless it is."""
    if len(os.sched_getaffinity(0)) == 1 and ONE_THREAD.items() <= os.environ.items():
        return
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_THREAD})


def vectors(args: argparse.Namespace) -> dict[str, Any]:
    """Vectors per second in batches of 10,000 real vectors."""
    profile = load(args.profile)
    x = split.load_pool(args.data)[:BATCH]
    codes = profile.encode(x, NBYTES)
    return {
        "profile": args.profile,
        "batch": len(x),
        "dim": x.shape[1],
        "nbytes": NBYTES,
        "encode_vectors_per_s": _rate(lambda: profile.encode(x, NBYTES), len(x)),
        "decode_vectors_per_s": _rate(lambda: profile.decode(codes), len(x)),
    }


def coder() -> dict[str, Any]:
    """Binary symbols per second of the range coder alone, 10,000 messages of about 16 bytes."""
    ones, messages = overhead.source(NBYTES, np.random.default_rng(0), BATCH)
    codes, _ = overhead.encode(ones, messages)
    return {
        "encode_symbols_per_s": _rate(lambda: overhead.encode(ones, messages), messages.size),
        "decode_symbols_per_s": _rate(lambda: overhead.determined(ones, codes), messages.size),
    }


def start_up() -> dict[str, Any]:
    """Seconds from the shell to the answer of two commands, disk caches warm."""
    command = shutil.which("sememe", path=str(Path(sys.executable).parent)) or "sememe"
    with tempfile.TemporaryDirectory() as folder:
        photo, code = Path(folder, "photo.jpg"), Path(folder, "photo.sem")
        shutil.copy(_photograph(), photo)
        encode = [command, "encode", str(photo), "-o", str(code)]
        return {
            "encode_photo_s": _seconds(lambda: _run(encode)),
            "info_s": _seconds(lambda: _run([command, "info", str(code)])),
        }


def _photograph() -> Path:
    """Find a photograph that scikit-learn carries (640 x 427), without importing it."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        sys.exit("speed.py: needs a photograph from scikit-learn: pip install 'sememe[demo]'")
    return Path(spec.origin).parent / "datasets" / "images" / "china.jpg"


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _rate(call: Callable[[], Any], count: int) -> dict[str, int]:
    return {clock: round(count / seconds) for clock, seconds in _seconds(call).items()}


def _seconds(call: Callable[[], Any]) -> dict[str, float]:
    """Median wall and processor seconds (own and children's) of several calls after one to warm up."""
    call()
    wall, cpu = [], []
    for _ in range(RUNS):
        started, used = time.perf_counter(), _cpu_seconds()
        call()
        wall.append(time.perf_counter() - started)
        cpu.append(_cpu_seconds() - used)
    return {"wall": round(statistics.median(wall), 4), "cpu": round(statistics.median(cpu), 4)}


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
