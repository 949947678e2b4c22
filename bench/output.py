"""What every benchmark prints: one JSON object that names the machine it was measured on."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import split

RESULTS = Path(__file__).resolve().parents[1] / "results"


def parser(description: str | None) -> argparse.ArgumentParser:
    """Make a parser with the options that every benchmark has: `-o` and `--data`."""
    made = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    made.add_argument("-o", "--output", type=Path, help="write the JSON there as well as to stdout")
    made.add_argument("--data", type=Path, default=split.DATA, help="directory with vectors/ and text/")
    return made


def machine() -> dict[str, Any]:
    """Name the processor, the cores that this process may use, and the software."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": os.environ.get("OMP_NUM_THREADS", "default"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def emit(result: Mapping[str, Any], output: Path | None) -> None:
    """Print the result and write it to `output` if that is given."""
    text = json.dumps({"machine": machine(), **result}, indent=1, ensure_ascii=False) + "\n"
    print(text, end="")
    if output is not None:
        output.write_text(text, encoding="utf-8")


def rounded(values: Mapping[str, float], digits: int = 4) -> dict[str, float]:
    """Round figures to what their sample sizes support."""
    return {name: round(float(value), digits) for name, value in values.items()}


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def note(message: str) -> None:
    """Tell the person waiting; stdout carries nothing but the JSON."""
    print(message, file=sys.stderr, flush=True)
