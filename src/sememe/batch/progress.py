"""Progress on a terminal's stderr, nothing anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Progress: TypeAlias = bool | Callable[[int, int], None] | None
"""None: a bar if stderr is a terminal. A bool: whether to show one. A callable: called with (done, total)."""


@contextmanager
def progress_bar(progress: Progress, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function to call with the number of inputs done since its last call."""
    if callable(progress):
        yield _Counter(progress, total)
    elif progress or (progress is None and sys.stderr is not None and sys.stderr.isatty()):
        from tqdm import tqdm

        with tqdm(total=total, unit="image", file=sys.stderr, leave=False) as bar:
            yield bar.update
    else:
        yield _ignore


class _Counter:
    def __init__(self, show: Callable[[int, int], None], total: int) -> None:
        self._show, self._total, self._done = show, total, 0

    def __call__(self, step: int) -> None:
        self._done += step
        self._show(self._done, self._total)


def _ignore(step: int) -> None:
    """Show nothing."""
