"""How long a call takes on this machine, and what machine that is."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

import sememe

__all__ = ["Timing", "machine", "timed"]

MOST_RUNS = 5
ENOUGH_SECONDS = 2.0

T = TypeVar("T")


class Timing(NamedTuple):
    """Median seconds of a few calls, on the clock and on the processor."""

    wall: float
    cpu: float
    runs: int


def timed(call: Callable[[], T], *, most: int = MOST_RUNS) -> tuple[T, Timing]:
    """Call up to `most` times, fewer if that takes longer than two seconds; return the last result."""
    began = time.perf_counter()
    wall, cpu = [], []
    while True:
        started, used = time.perf_counter(), time.process_time()
        result = call()
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
        if len(wall) == most or time.perf_counter() - began > ENOUGH_SECONDS:
            return result, Timing(statistics.median(wall), statistics.median(cpu), len(wall))


def machine() -> dict[str, Any]:
    """Name the processor, the cores that this process may use, and the software."""
    return {
        "cpu": _cpu_name(),
        "cores": _cores(),
        "threads": os.environ.get("OMP_NUM_THREADS", "default"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "sememe": sememe.__version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
