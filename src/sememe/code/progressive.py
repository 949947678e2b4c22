"""The walk over coefficients that encoder and decoder share, and the code it makes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sememe.code.modes import ModeChooser
from sememe.code.tables import CodeTables
from sememe.code.transform import Transform, as_integers, normalise
from sememe.rangecoder import TOTAL, Decoder, Encoder
from sememe.types import Codes, Embeddings

__all__ = ["ProgressiveCode"]

_ROWS = 2048  # vectors that take their steps together; their states stay in cache
_RETIRE_EVERY = 8  # steps between looks for rows whose code is settled


class ProgressiveCode:
    """Encode unit vectors into bytes of which every prefix decodes.

    Parameters
    ----------
    tables
        All that encoder and decoder share.
    """

    def __init__(self, tables: CodeTables) -> None:
        self.tables = tables
        self._transform = Transform(tables)
        self._chooser = ModeChooser(tables, self._transform)

    def encode(self, x: Embeddings, nbytes: int) -> Codes:
        """Encode vectors.

        Parameters
        ----------
        x
            (n, d) float32, finite, rows of unit length.
        nbytes
            Length of each code, at least 1.

        Returns
        -------
        (n, nbytes) uint8
            A pure function of each row: neither the other rows nor `nbytes` change its first bytes.
        """
        codes = np.zeros((len(x), nbytes), np.uint8)
        for begin in range(0, len(x), _ROWS):
            rows = slice(begin, begin + _ROWS)
            modes, units = self._analyse(x[rows])
            codes[rows] = self._write(modes, units, nbytes)
        return codes

    def choose_modes(self, x: Embeddings) -> NDArray[np.intp]:
        """Mode (n,) that `encode` uses for each vector (n, d); the last mode is the universal one."""
        return self._chooser.choose(as_integers(x), self._transform.weigh(x))

    def decode(self, codes: Codes) -> Embeddings:
        """Decode codes (n, nbytes) of any length, zero included, to unit vectors (n, d) float32."""
        x = np.zeros((len(codes), self.tables.dim), np.float32)
        for begin in range(0, len(codes), _ROWS):
            rows = slice(begin, begin + _ROWS)
            modes, units = self._read(codes[rows])
            x[rows] = self._synthesise(modes, units)
        return x

    def _analyse(self, x: Embeddings) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        weighted = self._transform.weigh(x)
        modes = self._chooser.choose(as_integers(x), weighted)
        units = np.zeros((len(x), self.tables.coefficients), np.int32)
        for mode in np.unique(modes):
            rows = np.flatnonzero(modes == mode)
            units[rows] = self._transform.units(self._transform.project(weighted[rows], mode), mode)
        return modes, units

    def _synthesise(self, modes: NDArray[np.intp], units: NDArray[np.int32]) -> Embeddings:
        x = np.zeros((len(modes), self.tables.dim))
        for mode in np.unique(modes):
            rows = np.flatnonzero(modes == mode)
            coded = units[rows]
            used = int(coded.any(axis=0).nonzero()[0].max(initial=-1)) + 1
            x[rows] = self._transform.reconstruct(coded[:, :used], mode)
        return normalise(x)

    def _write(self, modes: NDArray[np.intp], units: NDArray[np.int32], nbytes: int) -> Codes:
        encoder = Encoder(len(modes), nbytes)
        bounds = self._mode_bounds
        encoder.encode(bounds[modes], bounds[modes + 1])
        walk = _Walk(self._plan, modes)
        values = units.ravel()
        for step in range(self._plan.steps):
            node = walk.visit(step)
            value = values[walk.places]
            symbol = (value >= node.thresholds[0]) + (value >= node.thresholds[1]).astype(np.intp)
            share = 3 * node.keys + symbol
            encoder.encode(self._plan.starts[share], self._plan.stops[share])
            walk.enter(node, symbol)
            if step % _RETIRE_EVERY == 0:
                walk.keep(encoder.retire())
                if encoder.rows.size == 0:
                    break
        codes, _ = encoder.finish()
        return codes

    def _read(self, codes: Codes) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        plan = self._plan
        modes = np.full(len(codes), self.tables.modes - 1)
        units = np.zeros((len(codes), self.tables.coefficients), np.int32)
        decoder = Decoder(codes)
        chosen, _ = decoder.decode(tuple(self._mode_bounds[1:-1]))
        modes[decoder.rows] = chosen
        walk = _Walk(plan, chosen)
        rows = decoder.rows
        for step in range(plan.steps):
            if rows.size == 0:
                break
            node = walk.visit(step)
            inner = (plan.starts[3 * node.keys + 1], plan.starts[3 * node.keys + 2])
            symbol, stay = decoder.decode(inner)
            if not stay.all():
                units[rows[~stay]] = plan.means[walk.states[~stay]]
                walk.keep(stay)
                node = node.keep(stay)
                rows = decoder.rows
            walk.enter(node, symbol)
        units[rows] = plan.means[walk.states]
        return modes, units

    @cached_property
    def _mode_bounds(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self.tables.mode_frequencies, dtype=np.int64)])

    @cached_property
    def _plan(self) -> _Plan:
        return _Plan(self.tables)


class _Plan:
    """Tables of the walk, laid out for one lookup a step.

    A *key* names a pair of interval and rank. Where the interval is not split at that rank, its only child is
    itself, with the whole share, so that a visit that splits nothing needs no branch.
    """

    def __init__(self, tables: CodeTables) -> None:
        ranks, intervals = len(tables.gains), len(tables.children)
        self.ranks = ranks
        self.coefficients = tables.coefficients
        self.means = tables.means
        never = np.iinfo(np.int32).max
        children = np.repeat(np.arange(intervals, dtype=np.int16), ranks * 3)
        starts = np.tile(np.array([0, TOTAL, TOTAL]), intervals * ranks)
        stops = np.full(intervals * ranks * 3, TOTAL)
        thresholds = np.full((2, intervals * ranks), never, np.int32)
        for interval in np.flatnonzero(tables.ranks >= 0):
            key = interval * ranks + int(tables.ranks[interval])
            fan = int((tables.children[interval] >= 0).sum())
            ends = np.cumsum(tables.frequencies[interval, :fan])
            at = slice(3 * key, 3 * key + fan)
            children[at] = tables.children[interval, :fan]
            stops[at] = ends
            starts[at] = np.concatenate([[0], ends[:-1]])
            thresholds[: fan - 1, key] = tables.thresholds[interval, : fan - 1]
        self.children, self.starts, self.stops, self.thresholds = children, starts, stops, thresholds
        self.order = _visit_order(tables)
        self.steps = self.order.shape[1]


def _visit_order(tables: CodeTables) -> NDArray[np.int32]:
    """Visits (M, J·R) of each mode, coefficient · R + rank, by the distortion that a bit is expected to remove."""
    variances = tables.sigmas.astype(np.int64) ** 2 >> 10
    worth = variances[:, :, None] * tables.gains.astype(np.int64)
    return np.argsort(-worth.reshape(tables.modes, -1), axis=1, kind="stable").astype(np.int32)


@dataclass(frozen=True)
class _Node:
    """Where each row of the batch stands at one step."""

    keys: NDArray[np.intp]
    thresholds: NDArray[np.int32]

    def keep(self, stay: NDArray[np.bool_]) -> _Node:
        return _Node(self.keys[stay], self.thresholds[:, stay])


class _Walk:
    """The state of every coefficient of every row left in the batch."""

    def __init__(self, plan: _Plan, modes: NDArray[np.intp]) -> None:
        self._plan = plan
        self._modes = modes
        self.states = np.zeros((len(modes), plan.coefficients), np.int16)
        self._offsets = np.arange(len(modes)) * plan.coefficients  # of the rows in `states`
        self._origins = self._offsets  # of the rows in the batch at the start
        self._visited = self._offsets

    @property
    def places(self) -> NDArray[np.intp]:
        """(rows left,) flat index of the visited coefficient in the batch as it was at the start."""
        return self._origins + self._coefficients

    def visit(self, step: int) -> _Node:
        plan = self._plan
        self._coefficients, rank = np.divmod(plan.order[self._modes, step], plan.ranks)
        self._visited = self._offsets + self._coefficients
        keys = self.states.ravel()[self._visited].astype(np.intp) * plan.ranks + rank
        return _Node(keys, plan.thresholds[:, keys])

    def enter(self, node: _Node, symbol: NDArray[np.integer]) -> None:
        """Move the visited coefficient of each row to the child that the symbol names."""
        self.states.ravel()[self._visited] = self._plan.children[3 * node.keys + symbol]

    def keep(self, stay: NDArray[np.bool_]) -> None:
        """Drop the rows that left the batch."""
        if stay.all():
            return
        self._modes = self._modes[stay]
        self.states = self.states[stay]
        self._origins = self._origins[stay]
        self._offsets = np.arange(len(self._modes)) * self._plan.coefficients
        self._coefficients = self._coefficients[stay]
        self._visited = self._offsets + self._coefficients
