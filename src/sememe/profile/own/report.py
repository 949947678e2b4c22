"""How much better than a known profile: the figures of a fit, and what they come to in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sememe.metrics import centred_cosine
from sememe.metrics.rates import bytes_for
from sememe.profile.own.kept import Decoded, Kept, decoded, measure
from sememe.profile.profile import Profile
from sememe.types import Embeddings

__all__ = ["AT", "LONGEST", "Comparison", "FitReport", "Method", "compare"]

Method: TypeAlias = Literal["fitted", "adapted"]
"""`fitted`: modes of its own. `adapted`: the modes of the known profile, as often as they occur here."""

AT = 16
"""Bytes at which the verdict is given."""

_GRID = (2, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96)
LONGEST = _GRID[-1]
"""Longest code of the known profile that is looked at."""

_WORTH = 0.05  # share of the bytes below which a file that has to be kept is hardly worth it
_SURE = 1.96  # standard errors: 95 %


@dataclass(frozen=True)
class Comparison:
    """A profile beside a known one, on vectors that it did not learn from.

    Attributes
    ----------
    base_bytes
        For each of `LENGTHS`, the bytes at which the known profile has the centred cosine that the new one
        has there; None where `LONGEST` bytes have less.
    saving, saving_low, saving_high
        Share of the known profile's bytes that are spared at 16 bytes, and its 95 % interval; negative where
        the new profile needs more. None where the known profile needs more than `LONGEST`.
    better, worse
        Whether the new profile keeps more, or less, at 16 bytes, and that not by chance (95 %).
    """

    base: tuple[Kept, ...]
    base_bytes: tuple[float | None, ...]
    saving: float | None
    saving_low: float | None
    saving_high: float | None
    better: bool
    worse: bool


@dataclass(frozen=True)
class FitReport:
    """What went into a profile and what it keeps.

    Attributes
    ----------
    vectors
        Vectors given.
    used
        Vectors looked at: a sample where there were too many.
    trained, deciding, held_out
        Vectors that the judged profile learned from, that decided between `fitted` and `adapted`, and that
        judged. The saved profile learned from all that were used.
    copies
        Vectors that equal another one.
    method
        How the profile was made.
    drawn
        Vectors that the saved profile learned from beside them, drawn from the known one: few need some.
    modes
        Classes of the saved profile, beside the universal one.
    base, base_fingerprint
        The known profile, if there is one.
    rates
        What the judged profile keeps at `LENGTHS`; empty if nothing was held out.
    comparison
        With the known profile; None without one, or with nothing held out.
    seconds
        Time it all took.
    """

    vectors: int
    used: int
    trained: int
    deciding: int
    held_out: int
    copies: int
    seed: int
    method: Method
    drawn: int
    modes: int
    base: str | None
    base_fingerprint: str | None
    rates: tuple[Kept, ...]
    comparison: Comparison | None
    warnings: tuple[str, ...]
    seconds: float

    @property
    def verdict(self) -> str:
        """Whether it is worth it, in one sentence without a full stop."""
        if not self.rates:
            return "not judged: no vectors were held out"
        if self.comparison is None:
            kept = next(kept for kept in self.rates if kept.nbytes == AT)
            return (
                f"{AT} bytes keep a centred cosine of {kept.centred_cosine:.3f}; "
                "no profile of this space to compare with"
            )
        return self._compared(self.comparison)

    def _compared(self, found: Comparison) -> str:
        if found.worse:
            return f"worse than {self.base} on your data: keep {self.base}"
        spared = found.saving is not None and found.saving >= _WORTH
        if not found.better and spared:
            return (
                f"perhaps {self._words(found)}, but {self.held_out} held-out vectors are too few to be sure"
            )
        if not found.better:
            return f"no better than {self.base} on your data: keep {self.base}"
        if found.saving is None:
            return f"{AT} bytes keep more than {LONGEST} of {self.base}"
        if not spared:
            return f"{self._words(found)}: hardly worth a profile of your own, {self.base} will do"
        return self._words(found)

    def _words(self, found: Comparison) -> str:
        ends = ["more" if end is None else f"{end:.0%}" for end in (found.saving_low, found.saving_high)]
        words = f"{found.saving:.0%} fewer bytes than {self.base} for the same fidelity at {AT} bytes"
        return f"{words} ({' to '.join(ends)})"

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON; `rates` has the known profile's figures beside each length."""
        fields = asdict(self)
        found = fields.pop("comparison") or {}
        lasts = {key: fields.pop(key) for key in ("warnings", "seconds")}
        base = found.get("base") or [None] * len(self.rates)
        needed = found.get("base_bytes") or [None] * len(self.rates)
        fields["rates"] = [
            _rounded({**own, "base": other and _rounded(other), "base_bytes": wanted})
            for own, other, wanted in zip(fields["rates"], base, needed, strict=True)
        ]
        keys = ("saving", "saving_low", "saving_high", "better", "worse")
        fields |= _rounded({key: found.get(key) for key in keys})
        fields |= {"verdict": self.verdict, "warnings": list(lasts["warnings"])}
        return fields | {"seconds": round(self.seconds, 1)}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: round(value, 5) if isinstance(value, float) else value for key, value in values.items()}


def compare(
    own: Decoded, base: Profile, x: Embeddings, mean: NDArray[np.floating], rates: tuple[Kept, ...]
) -> Comparison:
    """Judge a profile beside a known one.

    Parameters
    ----------
    own
        What the profile's codes of `x` stand for, see `decoded`.
    base
        Of the same space. Whether it was made from `x` is not known; if so, the comparison favours it.
    x
        (n, d) float32 unit rows.
    mean
        (d,) of the training vectors.
    rates
        What `measure` found for `own`.
    """
    theirs = decoded(base, x, _GRID)
    curve = [float(centred_cosine(x, y, mean).mean()) for y in theirs.values()]
    gain = centred_cosine(x, own[AT], mean) - centred_cosine(x, theirs[AT], mean)
    error = float(gain.std(ddof=1) / np.sqrt(len(gain)))
    reached = curve[_GRID.index(AT)] + float(gain.mean())
    low, middle, high = (_saving(curve, reached + sign * _SURE * error) for sign in (-1, 0, 1))
    return Comparison(
        base=measure(x, theirs, mean),
        base_bytes=tuple(bytes_for(_GRID, curve, kept.centred_cosine) for kept in rates),
        saving=middle,
        saving_low=low,
        saving_high=high,
        better=bool(gain.mean() > _SURE * error),
        worse=bool(gain.mean() < -_SURE * error),
    )


def _saving(curve: Sequence[float], figure: float) -> float | None:
    """Share of the known profile's bytes that `AT` bytes spare if they keep `figure`."""
    needed = bytes_for(_GRID, curve, figure)
    return None if needed is None else 1 - AT / needed
