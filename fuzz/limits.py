"""Bounds within which every input must be dealt with: seconds of processor time, megabytes of memory."""

from __future__ import annotations

import resource
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

SECONDS = 10.0
MEGABYTES = 1024


class TooLongError(BaseException):
    """No error of the program: nothing may catch it."""


@contextmanager
def bounded(seconds: float = SECONDS, megabytes: int = MEGABYTES) -> Iterator[None]:
    """Let the block use so much processor time, and so much more memory than the process has now.

    More memory is refused by the system, which is a MemoryError; more time is a TooLongError. Warnings, which
    damaged numbers give by the dozen, are not heard.
    """
    before = resource.getrlimit(resource.RLIMIT_DATA)
    room = _data_bytes() + (megabytes << 20)
    if before[1] != resource.RLIM_INFINITY:
        room = min(room, before[1])
    handler = signal.signal(signal.SIGVTALRM, _too_long)
    resource.setrlimit(resource.RLIMIT_DATA, (room, before[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        resource.setrlimit(resource.RLIMIT_DATA, before)
        signal.signal(signal.SIGVTALRM, handler)


def _too_long(_number: int, _frame: FrameType | None) -> None:
    raise TooLongError("the time allowed for one input is over")


def _data_bytes() -> int:
    """Bytes that count towards RLIMIT_DATA by now (proc(5), statm: data and stack)."""
    return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
