"""What encoding on a small machine takes: peak memory of a process of its own, and packages that it needs.

A 12-megapixel JPEG is encoded with `nano`, as a camera would give it. The second figure is with
``MALLOC_MMAP_THRESHOLD_=65536`` (glibc, mallopt(3)): memory that ONNX Runtime frees while it loads the
network goes back to the system at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import output

NEEDED = ("numpy", "onnxruntime", "pillow", "safetensors")
HEAVY = ("faiss", "tqdm", "onnxruntime", "PIL", "numpy", "safetensors", "torch", "pyarrow", "matplotlib")
CALLS = {
    "encode": ("encode", "photo.jpg", "-o", "photo.sem", "-q"),
    "packet": ("packet", "photo.jpg", "--max-bytes", "51", "-q"),
    "decode": ("decode", "photo.sem", "-o", "photo.npy", "-q"),
    "info": ("info", "photo.sem"),
}
RUNS = 3
PROBE = f"""
import json, pathlib, sys
from sememe.cli import main
assert main(sys.argv[1:]) == 0
status = pathlib.Path("/proc/self/status").read_text()  # getrusage would tell the parent's peak as well
peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
print(json.dumps({{"peak_mb": round(peak), "imports": [m for m in {HEAVY!r} if m in sys.modules]}}))
"""


def measure(call: tuple[str, ...], folder: Path, **environment: str) -> dict[str, Any]:
    """Run a command in processes of their own; tell the highest of their peaks, and what it imported."""
    runs: list[dict[str, Any]] = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-c", PROBE, *call],
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
            capture_output=True,
            check=True,
            text=True,
        )
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    return max(runs, key=lambda run: int(run["peak_mb"]))


def installed_mb(name: str) -> float:
    """Size of an installed package on disk."""
    files = metadata.distribution(name).files or []
    sizes = [path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file()]
    return round(sum(sizes) / 1e6, 1)


def main() -> None:
    """Measure and print."""
    args = output.parser(__doc__).parse_args()
    result: dict[str, Any] = {"photo": "4000 x 3000 JPEG", "runs": RUNS, "commands": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        coarse = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
        Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC).save(folder / "photo.jpg")
        for command, call in CALLS.items():
            returned = measure(call, folder, MALLOC_MMAP_THRESHOLD_="65536")
            found = measure(call, folder)
            result["commands"][command] = found | {"peak_mb_freed_at_once": returned["peak_mb"]}
    result["installed_mb"] = {name: installed_mb(name) for name in NEEDED}
    output.emit(result, args.output)


if __name__ == "__main__":
    main()
