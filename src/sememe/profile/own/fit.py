"""Vectors to a profile of their own, and how good it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sememe.code import FitOptions
from sememe.errors import VectorError
from sememe.metrics import centred_cosine, unit_rows
from sememe.profile.own.adapt import adapt
from sememe.profile.own.kept import Kept, decoded, measure
from sememe.profile.own.parts import Parts, check_share, part
from sememe.profile.own.related import how_many, related
from sememe.profile.own.report import Comparison, FitReport, Method, compare
from sememe.profile.own.warn import check, warnings_about
from sememe.profile.profile import Profile
from sememe.types import Embeddings, Json

__all__ = ["FEWEST", "Own", "Stages", "fit_own", "most_vectors"]

FEWEST = 32
"""Vectors that a fit needs."""

Stages = Callable[[str, int, int], None]
"""Called with one line about what is under way, the number of stages done and that of all."""


@dataclass(frozen=True)
class Own:
    """A profile of one's own, and what was found out about it."""

    profile: Profile
    report: FitReport


def most_vectors(dim: int) -> int:
    """Most vectors of `dim` dimensions that are looked at: a fit of so many takes about a gigabyte."""
    return min(50_000, 40_000_000 // dim)


def fit_own(
    x: NDArray[np.floating],
    text: NDArray[np.floating] | None = None,
    *,
    manifest: Mapping[str, Json],
    base: Profile | None = None,
    holdout: float = 0.1,
    seed: int = 0,
    options: FitOptions | None = None,
    total: int | None = None,
    subject: str = "vectors",
    notes: tuple[str, ...] = (),
    stages: Stages = lambda line, done, of: None,
) -> Own:
    """Make a profile and judge it on vectors that it did not learn from.

    A part of the vectors is held out. If there is a known profile, another part decides between a profile
    fitted to the rest and the known one adapted to it (see `sememe.profile.own.adapt`): few vectors say how
    often modes occur, but not what modes there are. The held-out part judges the winner, which is then made
    again from all vectors.

    Parameters
    ----------
    x
        (n, d) floats, 32 <= d <= 1536, n >= 32.
    text
        (t, d) text vectors of the same space, for a profile that is fitted; an adapted one keeps its metric.
    manifest
        As in `Profile.fit`; the provenance is added.
    base
        Known profile of the same space, to compare with and to fall back on.
    holdout
        Share that judges, at least 20 and at most 5,000 vectors; 0 for none.
    seed
        Of the division and of the fit.
    options
        Of the fit; their own seed does not count.
    total
        Number of vectors that `x` was drawn from; n if not given.
    subject
        What to call the vectors in warnings.
    notes
        Further warnings for the report.
    stages
        Told what is under way.

    Raises
    ------
    VectorError
        Too few vectors, of an unsupported dimension or another than that of `base`, not finite or all zero.
    UsageError
        `holdout` is not in 0..0.5, or the manifest names no space.
    """
    started = time.monotonic()
    check_share(holdout)
    x = np.asarray(x)
    check(x, FEWEST)
    if base is not None and x.shape[1] != base.dim:
        raise VectorError(f"{x.shape[1]} dimensions, but profile {base.profile_id} codes {base.dim}")
    parts = part(unit := unit_rows(x), holdout=holdout, choose=base is not None, seed=seed)
    if len(x) - parts.copies < FEWEST:
        raise VectorError(
            f"{len(x) - parts.copies} different vectors are too few to fit a profile; bring at least {FEWEST}"
        )
    chosen = replace(options or FitOptions(), seed=seed)
    work = _Work(x, unit, text, base, dict(manifest), chosen, parts, stages)
    method, judged = work.choose()
    rates, comparison = work.judge(judged)
    profile = work.make(method, np.arange(len(x)), "all vectors")
    caveats = (*notes, *warnings_about(unit, parts, subject=subject), *work.caveats(method))
    report = FitReport(
        vectors=len(x) if total is None else total,
        used=len(x),
        trained=len(parts.train),
        deciding=len(parts.choice),
        held_out=len(parts.held),
        copies=parts.copies,
        seed=seed,
        method=method,
        drawn=how_many(len(x)) if method == "fitted" and base is not None else 0,
        modes=profile.tables.modes - 1,
        base=None if base is None else base.profile_id,
        base_fingerprint=None if base is None else base.fingerprint.hex(),
        rates=rates,
        comparison=comparison,
        warnings=caveats,
        seconds=time.monotonic() - started,
    )
    return Own(profile, report)


@dataclass
class _Work:
    """One run of `fit_own`: the vectors as they came, and scaled to unit length."""

    given: NDArray[np.floating]
    x: Embeddings
    text: NDArray[np.floating] | None
    base: Profile | None
    manifest: dict[str, Json]
    options: FitOptions
    parts: Parts
    stages: Stages
    _done: int = field(default=0, init=False)

    def choose(self) -> tuple[Method, Profile | None]:
        """Decide how to make the profile; also give it as made from the training part if it can be judged."""
        parts = self.parts
        if self.base is None:
            return "fitted", self.make("fitted", parts.train, "to judge") if len(parts.held) else None
        adapted = self.make("adapted", parts.train, "to judge")
        if not len(parts.choice):
            return "adapted", adapted
        fitted = self.make("fitted", parts.train, "to judge")
        deciders = self.x[parts.choice]
        kept = [self._fidelity(one, deciders) for one in (adapted, fitted)]
        return ("fitted", fitted) if kept[1] > kept[0] else ("adapted", adapted)

    def judge(self, profile: Profile | None) -> tuple[tuple[Kept, ...], Comparison | None]:
        """Measure on the held-out part, beside the known profile."""
        if profile is None or not len(self.parts.held):
            return (), None
        self._say("held-out vectors")
        judges = self.x[self.parts.held]
        own = decoded(profile, judges)
        rates = measure(judges, own, self.mean)
        comparison = None if self.base is None else compare(own, self.base, judges, self.mean, rates)
        self._done += 1
        return rates, comparison

    def make(self, method: Method, rows: NDArray[np.intp], what: str) -> Profile:
        """Make a profile from some rows."""
        number = f"{len(rows):,} vectors"
        if method == "adapted":
            assert self.base is not None, "only what is known can be adapted"
            self._say(f"{what}: adapting {self.base.profile_id}")
            origin = f"{self.base.profile_id} {self.base.fingerprint.hex()[:8]}, adapted to {number}"
            made = adapt(self.base, self.x[rows], self.manifest | {"provenance": origin})
        else:
            made = Profile.fit(
                self._with_related(rows),
                self.text,
                manifest=self.manifest | {"provenance": f"fitted on {number}"},
                options=self.options,
                progress=lambda line: self._say(f"{what}: {line}"),
            )
        self._done += 1
        return made

    def _with_related(self, rows: NDArray[np.intp]) -> NDArray[np.floating]:
        """Vectors to fit to: some rows, and where these are few, what the known profile expects beside."""
        x, count = self.given[rows], how_many(len(rows))
        if self.base is None or not count:
            return x
        return np.concatenate([x, related(self.base, self.x[rows], count, self.options.seed)])

    def caveats(self, method: Method) -> list[str]:
        """What the user should know about the way the profile was made."""
        if method == "adapted" and self.text is not None:
            return ["the text vectors were not used: an adapted profile weighs errors as its base does"]
        if method == "fitted" and self.text is None and self.base is not None:
            return ["fitted without text vectors: what words can see weighs no more than the rest"]
        return []

    def _fidelity(self, profile: Profile, x: Embeddings) -> float:
        """Centred cosine, averaged over vectors and lengths."""
        return float(np.mean([centred_cosine(x, y, self.mean) for y in decoded(profile, x).values()]))

    @property
    def mean(self) -> NDArray[np.float64]:
        """(d,) of the training part."""
        mean: NDArray[np.float64] = self.x[self.parts.train].mean(axis=0, dtype=np.float64)
        return mean

    @property
    def _of(self) -> int:
        """Number of stages."""
        trials = (self.base is not None) + (len(self.parts.choice) > 0 or self.base is None)
        judged = len(self.parts.held) > 0
        return trials * (judged or self.base is not None) + judged + 1

    def _say(self, line: str) -> None:
        self.stages(line, self._done, self._of)
