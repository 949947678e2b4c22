"""`ProgressiveCode`: vectors to bytes and back."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

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


class _Read(NamedTuple):
    """What codes say: n rows.

    Attributes
    ----------
    modes, prototypes
        (n,) which they are; prototype 0 where it is open.
    shares
        (n, P) probabilities of the prototypes where it is open, zeros elsewhere.
    units
        (n, J) expected coefficients in standard deviations.
    """

    modes: NDArray[np.intp]
    prototypes: NDArray[np.intp]
    shares: NDArray[np.float64]
    units: NDArray[np.int32]


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
            modes, prototypes, units = self._analyse(x[block])
            for rows in _slices(len(modes), _ROWS):
                codes[block][rows] = self._write(modes[rows], prototypes[rows], units[rows], nbytes)
        return codes

    def choose_modes(self, x: Embeddings) -> NDArray[np.intp]:
        """Mode (n,) that `encode` uses for each vector (n, d); the last mode is the universal one."""
        vectors = as_integers(x)
        modes, _ = self._chooser.choose(vectors, self._transform.weigh(vectors))
        return modes

    def decode(self, codes: Codes) -> Embeddings:
        """Decode codes (n, nbytes) of any length, zero included, to unit vectors (n, d) float32."""
        x = np.zeros((len(codes), self.tables.dim), np.float32)
        for block in _slices(len(codes), _BLOCK):
            parts = [self._read(codes[block][rows]) for rows in _slices(len(codes[block]), _ROWS)]
            x[block] = self._synthesise(_Read(*map(np.concatenate, zip(*parts, strict=True))))
        return x

    def _analyse(self, x: Embeddings) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int32]]:
        """Mode (n,), prototype (n,) and coefficients (n, J) in standard deviations."""
        vectors = as_integers(x)
        weighted = self._transform.weigh(vectors)
        modes, prototypes = self._chooser.choose(vectors, weighted)
        units = np.zeros((len(x), self.tables.coefficients), np.int32)
        for mode in np.unique(modes).tolist():
            rows = np.flatnonzero(modes == mode)
            projected = self._transform.project(weighted[rows], mode)
            projected -= self._transform.prototypes(mode).projected[prototypes[rows]]
            units[rows] = self._transform.units(projected, mode)
        return modes, prototypes, units

    def _synthesise(self, read: _Read) -> Embeddings:
        x = np.zeros((len(read.modes), self.tables.dim), np.float32)
        for mode in np.unique(read.modes).tolist():
            rows = np.flatnonzero(read.modes == mode)
            coded = read.units[rows]
            used = int(np.flatnonzero(coded.any(axis=0)).max(initial=-1)) + 1
            places = self._transform.places(mode)[read.prototypes[rows]]
            open_rows = np.flatnonzero(read.shares[rows].any(axis=1))
            if open_rows.size:
                places[open_rows] = self._transform.expected_places(mode, read.shares[rows[open_rows]])
            x[rows] = normalise(self._transform.reconstruct(coded[:, :used], mode, places))
        return x

    def _write(
        self,
        modes: NDArray[np.intp],
        prototypes: NDArray[np.intp],
        units: NDArray[np.int32],
        nbytes: int,
    ) -> Codes:
        plan = self._plan
        encoder = Encoder(len(modes), nbytes)
        encoder.encode(plan.mode_bounds[modes], plan.mode_bounds[modes + 1])
        bounds = plan.prototype_bounds
        encoder.encode(bounds[modes, prototypes], bounds[modes, prototypes + 1])
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

    def _read(self, codes: Codes) -> _Read:
        """Everything that codes (n, nbytes) determine."""
        plan = self._plan
        units = np.zeros((len(codes), self.tables.coefficients), np.int32)
        shares = np.zeros((len(codes), self.tables.prototypes))
        prototypes = np.zeros(len(codes), np.intp)
        decoder = Decoder(codes)
        modes, known = decoder.decode(tuple(plan.mode_bounds[1:-1]))
        modes[~known] = self.tables.modes - 1
        decoder.keep(known)
        starts = plan.prototype_starts(modes[known])
        prototypes[decoder.rows], decided = decoder.decode(starts)
        if not decided.all():
            open_rows = np.flatnonzero(~decided)
            some = [start[open_rows] for start in starts]
            shares[decoder.rows[open_rows]] = decoder.shares(open_rows, some)
            decoder.keep(decided)
        walk = Walk(plan, modes[decoder.rows])
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
        return _Read(modes, prototypes, shares, units)

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
