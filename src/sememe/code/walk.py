"""The walk over coefficients that encoder and decoder take together.

Every mode has a fixed order of *visits*, a coefficient and a rank each, by the distortion that a bit spent
there is expected to remove. A visit splits the coefficient's interval if that interval is split at this
rank, and does nothing otherwise. The order is sorted from integers, so all machines walk alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.code.tables import CodeTables
from sememe.rangecoder import ABSENT, TOTAL

__all__ = ["Plan", "Walk"]


class Plan:
    """Tables of the walk, laid out for one lookup a step.

    A *key* names a pair of interval and rank. Where the interval is not split at that rank, its only child is
    itself, with the whole share, so that a visit that splits nothing needs no branch.

    Attributes
    ----------
    coefficients, ranks
        (steps, M + 1) what each mode visits at each step; the last mode is idle and splits nothing.
    mode_bounds, prototype_bounds
        (M + 1,), (M, P + 1) where the shares of modes and of their prototypes begin and end.
    low, high
        (keys,) int32 thresholds of the split; beyond all values where there is none.
    second, third
        (keys,) int64 starts of the upper children for the decoder.
    starts, stops, children
        (3 · keys,) share and place of each child.
    """

    def __init__(self, tables: CodeTables) -> None:
        intervals, ranks = len(tables.children), len(tables.gains) + 1
        keys = intervals * ranks
        self.idle_mode, self.idle_rank = tables.modes, ranks - 1
        self.means = tables.means
        self.width = tables.coefficients
        self.rank_count = ranks
        self.mode_bounds = np.concatenate([[0], np.cumsum(tables.mode_frequencies, dtype=np.int64)])
        ends = np.cumsum(tables.prototype_frequencies, axis=1, dtype=np.int64)
        self.prototype_bounds = np.pad(ends, ((0, 0), (1, 0)))
        self.children = np.repeat(np.arange(intervals, dtype=np.int16), ranks * 3)
        self.starts = np.tile(np.array([0, TOTAL, TOTAL]), keys)
        self.stops = np.full(3 * keys, TOTAL)
        self.low = np.full(keys, np.iinfo(np.int32).max, np.int32)
        self.high = self.low.copy()
        self.second, self.third = np.full((2, keys), ABSENT)
        for interval in np.flatnonzero(tables.ranks >= 0):
            self._lay_out(tables, int(interval), int(interval) * ranks + int(tables.ranks[interval]))
        order = np.ascontiguousarray(_visit_order(tables).T)
        coefficients, visited = np.divmod(order, len(tables.gains))
        self.coefficients = np.pad(coefficients, ((0, 0), (0, 1)))
        self.ranks = np.pad(visited, ((0, 0), (0, 1)), constant_values=self.idle_rank)
        self.steps = len(order)

    def prototype_starts(self, modes: NDArray[np.intp]) -> list[NDArray[np.int64]]:
        """Starts of prototypes 1, 2, … for rows of these modes, for the decoder."""
        bounds = self.prototype_bounds[modes, 1:-1]
        return list(np.where(bounds == TOTAL, ABSENT, bounds).T)

    def _lay_out(self, tables: CodeTables, interval: int, key: int) -> None:
        fan = int((tables.children[interval] >= 0).sum())
        ends = np.cumsum(tables.frequencies[interval, :fan])
        at = slice(3 * key, 3 * key + fan)
        self.children[at] = tables.children[interval, :fan]
        self.stops[at] = ends
        self.starts[at] = np.concatenate([[0], ends[:-1]])
        self.low[key], self.second[key] = tables.thresholds[interval, 0], ends[0]
        if fan == 3:
            self.high[key], self.third[key] = tables.thresholds[interval, 1], ends[1]


class Walk:
    """The interval of every coefficient of every row of a batch.

    Parameters
    ----------
    plan
        The order of visits.
    modes
        (rows,) mode of each row.
    """

    def __init__(self, plan: Plan, modes: NDArray[np.intp]) -> None:
        self._plan = plan
        self._modes = modes.copy()
        self.states = np.zeros((len(modes), plan.width), np.int16)
        self.origins = np.arange(len(modes)) * plan.width  # of each row in the batch as it began
        self.coefficients = self.origins
        self.stopped = np.zeros(len(modes), np.bool_)
        self.stopped_keys = np.zeros(len(modes), np.intp)
        self.stopped_coefficients = np.zeros(len(modes), np.intp)
        self._offsets = self.origins  # of each row in `states`
        self._places = self.origins

    def visit(self, step: int) -> NDArray[np.intp]:
        """Go to the next coefficient; return the key (rows,) of its interval and rank."""
        plan = self._plan
        self.coefficients = plan.coefficients[step][self._modes]
        self._places = self._offsets + self.coefficients
        intervals = self.states.ravel()[self._places]
        keys: NDArray[np.intp] = intervals * np.intp(plan.rank_count) + plan.ranks[step][self._modes]
        return keys

    def enter(self, children: NDArray[np.integer]) -> None:
        """Move the visited coefficient of each row to a child, given as 3 · key + symbol."""
        self.states.ravel()[self._places] = self._plan.children[children]

    def stop(self, keys: NDArray[np.intp], lost: NDArray[np.bool_]) -> None:
        """Let lost rows split nothing any more, the current visit included: their `keys` are changed."""
        rows = np.flatnonzero(lost)
        self.stopped[rows] = True
        self.stopped_keys[rows] = keys[rows]
        self.stopped_coefficients[rows] = self.coefficients[rows]
        self._modes[rows] = self._plan.idle_mode
        keys[rows] += self._plan.idle_rank - keys[rows] % self._plan.rank_count

    def keep(self, stay: NDArray[np.bool_]) -> None:
        """Drop the other rows from the batch."""
        if stay.all():
            return
        self._modes, self.states, self.origins = self._modes[stay], self.states[stay], self.origins[stay]
        self.stopped, self.stopped_keys = self.stopped[stay], self.stopped_keys[stay]
        self.stopped_coefficients = self.stopped_coefficients[stay]
        self._offsets = np.arange(len(self._modes)) * self._plan.width


def _visit_order(tables: CodeTables) -> NDArray[np.intp]:
    """Visits (M, J·R) of each mode, as coefficient · R + rank."""
    variances = tables.sigmas.astype(np.int64) ** 2 >> 10  # leaves room for the gain
    worth = variances[:, :, None] * tables.gains.astype(np.int64)
    return np.argsort(-worth.reshape(tables.modes, -1), axis=1, kind="stable")
