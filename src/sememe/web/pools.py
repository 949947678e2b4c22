"""Threads that answer: few, since answers are work for the processor, and more would only take turns."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

__all__ = ["Pool"]

P = ParamSpec("P")
T = TypeVar("T")


class Pool:
    """Lets so many questions be answered at once; the others wait their turn.

    Parameters
    ----------
    threads
        How many at once. Slow kinds of question have a pool of their own, so that quick ones need not wait.
    """

    def __init__(self, threads: int) -> None:
        self._limiter = CapacityLimiter(threads)

    def __call__(self, answer: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Make a function answer from this pool. Whoever gives up waiting leaves its thread to finish."""

        @wraps(answer)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
            asked = partial(answer, *args, **kwargs)
            return await to_thread.run_sync(asked, limiter=self._limiter, abandon_on_cancel=True)

        return awaited
