"""The arrays that define a code, all of them integers, and the conditions they must meet."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.errors import ProfileFormatError
from sememe.rangecoder import TOTAL
from sememe.types import Tables

__all__ = ["FRACTION", "CodeTables"]

# what a damaged or hostile file may make a reader allocate
_LARGEST_DIM = 1536
_MOST_MODES = 1024
_MOST_PROTOTYPES = 256
_MOST_RANKS = 64
_LARGEST_SHIFT_STEP = 1 << 10  # a shift then stays within eight times the sphere, and sums within 2**53


@dataclass(frozen=True)
class FRACTION:
    """Binary places of every fixed-point quantity."""

    VECTOR = 14  # vectors and centroids: [-1, 1] in 15 bits
    METRIC = 12  # metric factor
    WEIGHTED = 16  # vectors after the metric
    STEP = 24  # size of one unit of an int8 basis row
    SIGMA = 20  # standard deviations
    UNIT = 12  # coefficients in standard deviations: thresholds and means of the quantizer
    COST = 30  # mode costs and limits, in squared distance
    GAIN = 20  # distortion reduction per bit, in variances


@dataclass(frozen=True)
class CodeTables:
    """All that encoder and decoder share.

    d: dimension, M: modes (the last is universal), P: prototypes of a mode, J: coefficients.

    Attributes
    ----------
    metric
        (r, d) int16 factor F: errors are weighted by a·I + FᵀF, where a = `identity`.
    identity
        () int32, weight of the identity in the metric.
    centroids
        (M, d) int16, mean vector of each mode.
    bases
        (M, J, d) int8, rows of each mode's transform, by descending variance.
    steps
        (M, J) int32, what one unit of a basis row is worth.
    sigmas
        (M, J) int32, standard deviation of each coefficient, in the metric.
    mode_frequencies
        (M,) int32, sum TOTAL.
    prototype_frequencies
        (M, P) int32, sum TOTAL; zero, from some prototype on, where a mode has fewer.
    shifts
        (M, P, d) int8, where a prototype lies, seen from its mode's centroid.
    shift_steps
        (M,) int32, what one unit of a shift is worth, in units of a centroid.
    mode_costs
        (M,) int64, constant part of each mode's rate-distortion cost.
    prototype_costs
        (M, P) int64, what the choice of a prototype adds to it.
    mode_limits
        (M,) int64, distortion beyond which a mode does not fit a vector.
    floor
        () int32, distortion per coefficient at the reference rate.
    children
        (S, 3) int16, the intervals that interval s is split into, ascending; -1 where there is none.
    frequencies
        (S, 3) int32, of the children; sum TOTAL where s is split.
    thresholds
        (S, 2) int32, inner bounds of the children, in standard deviations.
    means
        (S,) int32, conditional mean of interval s, in standard deviations.
    ranks
        (S,) int16, at which visit of a coefficient interval s is split; -1: never.
    gains
        (R,) int32, expected distortion reduction per bit of a split of each rank, in variances.
    """

    metric: NDArray[np.int16]
    identity: NDArray[np.int32]
    centroids: NDArray[np.int16]
    bases: NDArray[np.int8]
    steps: NDArray[np.int32]
    sigmas: NDArray[np.int32]
    mode_frequencies: NDArray[np.int32]
    prototype_frequencies: NDArray[np.int32]
    shifts: NDArray[np.int8]
    shift_steps: NDArray[np.int32]
    mode_costs: NDArray[np.int64]
    prototype_costs: NDArray[np.int64]
    mode_limits: NDArray[np.int64]
    floor: NDArray[np.int32]
    children: NDArray[np.int16]
    frequencies: NDArray[np.int32]
    thresholds: NDArray[np.int32]
    means: NDArray[np.int32]
    ranks: NDArray[np.int16]
    gains: NDArray[np.int32]

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return int(self.bases.shape[2])

    @property
    def modes(self) -> int:
        """Number of modes, the universal one included."""
        return int(self.bases.shape[0])

    @property
    def coefficients(self) -> int:
        """Coefficients J that a mode codes."""
        return int(self.bases.shape[1])

    @property
    def prototypes(self) -> int:
        """Most prototypes that a mode has."""
        return int(self.shifts.shape[1])

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """All tables by name; without those of prototypes where modes have none but themselves."""
        left_out = _OF_PROTOTYPES if self.prototypes == 1 and not self.shifts.any() else ()
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in left_out}

    @classmethod
    def from_arrays(cls, arrays: Tables) -> CodeTables:
        """Check arrays read from a file and take them as tables.

        Raises
        ------
        ProfileFormatError
            An array is missing, has another dtype or shape, or holds values that no code can have.
        """
        if "centroids" in arrays and not any(name in arrays for name in _OF_PROTOTYPES):
            arrays = {**arrays, **_without_prototypes(arrays)}
        missing = [name for name in _LAYOUT if name not in arrays]
        if missing:
            raise ProfileFormatError(f"lacks the tables {', '.join(missing)}; fit or fetch it again")
        for name, (kind, dimensions) in _LAYOUT.items():
            if arrays[name].dtype != kind or arrays[name].ndim != dimensions:
                raise ProfileFormatError(
                    f"table {name} is {arrays[name].dtype} of {arrays[name].ndim} dimensions, "
                    f"expected {np.dtype(kind)} of {dimensions}"
                )
        contiguous: Any = {name: np.asarray(arrays[name], order="C") for name in _LAYOUT}
        tables = cls(**contiguous)
        tables._check()
        return tables

    def _check(self) -> None:
        modes, coefficients, dim = self.bases.shape
        prototypes = self.shifts.shape[1]
        intervals, ranks = len(self.children), len(self.gains)
        shapes = {
            "metric": (self.metric.shape[0], dim),
            "centroids": (modes, dim),
            "steps": (modes, coefficients),
            "sigmas": (modes, coefficients),
            "mode_frequencies": (modes,),
            "prototype_frequencies": (modes, prototypes),
            "shifts": (modes, prototypes, dim),
            "shift_steps": (modes,),
            "prototype_costs": (modes, prototypes),
            "mode_costs": (modes,),
            "mode_limits": (modes,),
            "children": (intervals, 3),
            "frequencies": (intervals, 3),
            "thresholds": (intervals, 2),
            "means": (intervals,),
            "ranks": (intervals,),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                found = getattr(self, name).shape
                raise ProfileFormatError(f"table {name} has shape {found}, expected {shape}")
        _require(
            {
                "modes": 0 < modes <= _MOST_MODES,
                "prototypes": 0 < prototypes <= _MOST_PROTOTYPES,
                "coefficients": 0 < coefficients <= dim <= _LARGEST_DIM,
                "intervals": 0 < intervals <= np.iinfo(np.int16).max,
                "number of ranks": 0 < ranks <= _MOST_RANKS,
            }
        )
        self._check_values(intervals, ranks)

    def _check_values(self, intervals: int, ranks: int) -> None:
        split = self.ranks >= 0
        children, frequencies = self.children[split], self.frequencies[split]
        _require(
            {
                "mode frequencies": self.mode_frequencies.min() > 0 and self.mode_frequencies.sum() == TOTAL,
                "prototype frequencies": bool((self.prototype_frequencies >= 0).all())
                and bool((self.prototype_frequencies[:, 0] > 0).all())
                and bool((np.diff(self.prototype_frequencies > 0, axis=1).sum(axis=1) <= 1).all())
                and bool((self.prototype_frequencies.sum(axis=1) == TOTAL).all()),
                "shift steps": self.shift_steps.min() > 0 and self.shift_steps.max() <= _LARGEST_SHIFT_STEP,
                "ranks": self.ranks.max() < ranks,
                "children": self.children.min() >= -1 and self.children.max() < intervals,
                "split intervals": bool((children[:, :2] >= 0).all()),
                "interval frequencies": bool((frequencies.sum(axis=1) == TOTAL).all())
                and bool(((frequencies > 0) == (children >= 0)).all()),
                "standard deviations": self.sigmas.min() > 0,
                "basis steps": self.steps.min() > 0,
                "gains": self.gains.min() > 0,
                "floor": int(self.floor) > 0,
            }
        )
        _require({"order of splits": self._children_split_later(split)})

    def _children_split_later(self, split: NDArray[np.bool_]) -> bool:
        """Whether no interval is split before it exists."""
        for children, rank in zip(self.children[split], self.ranks[split], strict=True):
            later = self.ranks[children[children >= 0]]
            if ((later >= 0) & (later <= rank)).any():
                return False
        return True


def _require(conditions: dict[str, bool | np.bool_]) -> None:
    for what, holds in conditions.items():
        if not holds:
            raise ProfileFormatError(f"tables are damaged: {what} out of bounds; fit or fetch it again")


def _without_prototypes(arrays: Tables) -> dict[str, NDArray[np.generic]]:
    """Tables of a profile whose modes have no prototypes but themselves, as all had before version 0.3."""
    shape = arrays["centroids"].shape
    modes, dim = shape if len(shape) == 2 else (0, 0)
    if modes > _MOST_MODES or dim > _LARGEST_DIM:  # an array without numbers may claim any size
        raise ProfileFormatError("tables are damaged: modes out of bounds; fit or fetch it again")
    return {
        "prototype_frequencies": np.full((modes, 1), TOTAL, np.int32),
        "shifts": np.zeros((modes, 1, dim), np.int8),
        "shift_steps": np.ones(modes, np.int32),
        "prototype_costs": np.zeros((modes, 1), np.int64),
    }


_OF_PROTOTYPES = ("prototype_frequencies", "shifts", "shift_steps", "prototype_costs")

_LAYOUT: dict[str, tuple[type[np.signedinteger], int]] = {
    "metric": (np.int16, 2),
    "identity": (np.int32, 0),
    "centroids": (np.int16, 2),
    "bases": (np.int8, 3),
    "steps": (np.int32, 2),
    "sigmas": (np.int32, 2),
    "mode_frequencies": (np.int32, 1),
    "prototype_frequencies": (np.int32, 2),
    "shifts": (np.int8, 3),
    "shift_steps": (np.int32, 1),
    "mode_costs": (np.int64, 1),
    "prototype_costs": (np.int64, 2),
    "mode_limits": (np.int64, 1),
    "floor": (np.int32, 0),
    "children": (np.int16, 2),
    "frequencies": (np.int32, 2),
    "thresholds": (np.int32, 2),
    "means": (np.int32, 1),
    "ranks": (np.int16, 1),
    "gains": (np.int32, 1),
}
"""Type and number of dimensions of each table."""
