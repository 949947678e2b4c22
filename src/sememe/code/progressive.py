"""`ProgressiveCode`: vectors to bytes and back."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sememe.code.modes import ModeChooser
from sememe.code.tables import CodeTables
from sememe.code.transform import Transform, as_integers, normalise
from sememe.code.walk import Plan, Walk
from sememe.rangecoder import Decoder, Encoder
from sememe.types import Codes, Embeddings

__all__ = ["ProgressiveCode"]

_BLOCK = 16384  # vectors transformed together
_ROWS = 4096  # vectors that take their steps together; their states stay in cache
_KEEP_EVERY = 8  # steps between clearances of rows that are done


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
        for block in _slices(len(x), _BLOCK):
            modes, units = self._analyse(x[block])
            for rows in _slices(len(modes), _ROWS):
                codes[block][rows] = self._write(modes[rows], units[rows], nbytes)
        return codes

    def choose_modes(self, x: Embeddings) -> NDArray[np.intp]:
        """Mode (n,) that `encode` uses for each vector (n, d); the last mode is the universal one."""
        vectors = as_integers(x)
        return self._chooser.choose(vectors, self._transform.weigh(vectors))

    def decode(self, codes: Codes) -> Embeddings:
        """Decode codes (n, nbytes) of any length, zero included, to unit vectors (n, d) float32."""
        x = np.zeros((len(codes), self.tables.dim), np.float32)
        for block in _slices(len(codes), _BLOCK):
            read = [self._read(codes[block][rows]) for rows in _slices(len(codes[block]), _ROWS)]
            modes = np.concatenate([modes for modes, _ in read])
            x[block] = self._synthesise(modes, np.concatenate([units for _, units in read]))
        return x

    def _analyse(self, x: Embeddings) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Mode (n,) and coefficients (n, J) in standard deviations."""
        vectors = as_integers(x)
        weighted = self._transform.weigh(vectors)
        modes = self._chooser.choose(vectors, weighted)
        units = np.zeros((len(x), self.tables.coefficients), np.int32)
        for mode in np.unique(modes):
            rows = np.flatnonzero(modes == mode)
            units[rows] = self._transform.units(self._transform.project(weighted[rows], mode), mode)
        return modes, units

    def _synthesise(self, modes: NDArray[np.intp], units: NDArray[np.int32]) -> Embeddings:
        x = np.zeros((len(modes), self.tables.dim), np.float32)
        for mode in np.unique(modes):
            rows = np.flatnonzero(modes == mode)
            coded = units[rows]
            used = int(np.flatnonzero(coded.any(axis=0)).max(initial=-1)) + 1
            x[rows] = normalise(self._transform.reconstruct(coded[:, :used], mode))
        return x

    def _write(self, modes: NDArray[np.intp], units: NDArray[np.int32], nbytes: int) -> Codes:
        plan = self._plan
        encoder = Encoder(len(modes), nbytes)
        encoder.encode(plan.mode_bounds[modes], plan.mode_bounds[modes + 1])
        walk = Walk(plan, modes)
        values = units.ravel()
        for step in range(plan.steps):
            keys = walk.visit(step)
            value = values[walk.origins + walk.coefficients]
            symbol = np.add(value >= plan.low[keys], value >= plan.high[keys], dtype=np.intp)
            share = 3 * keys + symbol
            encoder.encode(plan.starts[share], plan.stops[share])
            walk.enter(share)
            if step % _KEEP_EVERY == 0:
                stay = encoder.retire()
                if not stay.any():
                    break
                walk.keep(stay)
        codes, _ = encoder.finish()
        return codes

    def _read(self, codes: Codes) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Mode (n,) and expected coefficients (n, J) in standard deviations."""
        plan = self._plan
        units = np.zeros((len(codes), self.tables.coefficients), np.int32)
        decoder = Decoder(codes)
        modes, known = decoder.decode(tuple(plan.mode_bounds[1:-1]))
        modes[~known] = self.tables.modes - 1
        decoder.keep(known)
        walk = Walk(plan, modes[known])
        for step in range(plan.steps):
            keys = walk.visit(step)
            symbol, determined = decoder.decode((plan.second[keys], plan.third[keys]))
            if not determined.all():
                walk.stop(keys, ~determined)
            walk.enter(3 * keys + symbol)
            if step % _KEEP_EVERY == 0 and walk.stopped.any():
                units[decoder.rows[walk.stopped]] = self._expect(decoder, walk)
                decoder.keep(~walk.stopped)
                walk.keep(~walk.stopped)
                if decoder.rows.size == 0:
                    break
        units[decoder.rows] = plan.means[walk.states]
        units[decoder.rows[walk.stopped]] = self._expect(decoder, walk)
        return modes, units

    def _expect(self, decoder: Decoder, walk: Walk) -> NDArray[np.int32]:
        """Expected coefficients of the stopped rows; the last one visited is in any child its bytes allow."""
        plan = self._plan
        rows = np.flatnonzero(walk.stopped)
        keys = walk.stopped_keys[rows]
        shares = decoder.shares(rows, (plan.second[keys], plan.third[keys]))
        candidates = shares * plan.means[plan.children[3 * keys[:, None] + np.arange(3)]]
        units = plan.means[walk.states[rows]]
        expected = np.rint(candidates[:, 0] + candidates[:, 1] + candidates[:, 2])
        units[np.arange(len(rows)), walk.stopped_coefficients[rows]] = expected
        return units

    @cached_property
    def _plan(self) -> Plan:
        return Plan(self.tables)


def _slices(length: int, size: int) -> list[slice]:
    return [slice(begin, begin + size) for begin in range(0, length, size)]
