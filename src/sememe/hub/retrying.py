"""Another attempt, a bounded number of times, not sooner than the server wants."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep
from typing import TypeVar

from sememe.hub.failures import Transient

PAUSES = (0.5, 1.0, 2.0)
"""Seconds before each further attempt, where the server names none."""

LONGEST = 120.0
"""Seconds beyond which a server's wish to be left alone ends the download instead."""

T = TypeVar("T")


def persist(
    attempt: Callable[[], T], *, note: Callable[[str], None], advanced: Callable[[], bool] = lambda: False
) -> T:
    """Call `attempt` until it does not raise Transient, at most once more than there are `PAUSES`.

    An attempt after which `advanced` is true starts the count anew: a line that breaks every minute still
    carries a large file in the end.

    Raises
    ------
    DownloadError
        What the last failure was.
    """
    failures = 0
    while True:
        try:
            return attempt()
        except Transient as failure:
            failures = 1 if advanced() else failures + 1
            if failures > len(PAUSES) or (failure.after or 0) > LONGEST:
                raise failure.error from failure
            pause = PAUSES[failures - 1] if failure.after is None else failure.after
            note(f"{failure}; trying again in {pause:g} s")
            sleep(pause)
