"""Coders times rates times a trial give rows; what is known already is not measured again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sememe.errors import SememeError, UsageError, VectorError
from sememe.evaluate.coder import Coder, Fitted, Note, Trained, WithIdeal
from sememe.evaluate.judge import Judge
from sememe.evaluate.report import Report, Row, Section, find, put
from sememe.evaluate.speed import Timing, machine, timed
from sememe.evaluate.trial import Trial
from sememe.types import Embeddings

__all__ = ["rates_of", "run"]

_ALONE = 8  # messages decoded one by one, to see that each is complete
_TOLERANCE = 1e-3  # of one number of a unit vector: above what the order of a sum can change


def run(
    trial: Trial,
    coders: Sequence[Coder],
    rates: Sequence[float],
    *,
    report: Report | None = None,
    path: str | Path | None = None,
    again: bool = False,
    note: Note = lambda _: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Row]:
    """Measure coders at rates.

    Parameters
    ----------
    trial
        What to judge on.
    coders
        Each is trained once, and only if a row of it is missing.
    rates
        Bytes per vector. A coder that has rates of its own is measured at those that `rates_of` picks.
    report
        Rows of the same trial, coder, rate and seed that are there without an error are not measured again;
        new rows are put there.
    path
        Write the report there, whole, after each row: an interrupted run loses only the row it was at.
    again
        Measure everything, whatever the report holds.
    note
        Called with one line about what takes long.
    progress
        Called with (done, total) rows, at the start and after each.

    Returns
    -------
    list of rows
        Those asked for, measured now or before. A coder that fails has a row with an `error`, and the run
        goes on.

    Raises
    ------
    StorageError
        The report cannot be written.
    """
    report = Report() if report is None else report
    judge = Judge(trial)
    section = report.section(trial, judge.uncompressed)
    report.machine = machine()

    def keep(row: Row) -> None:
        put(section, row)
        if path is not None:
            report.save(path)

    if path is not None:
        report.save(path)  # finds out at once whether it can be written
    wanted = [rates_of(coder, rates, trial.dim) for coder in coders]
    total, rows = sum(map(len, wanted)), []
    progress(0, total)
    for i, coder in enumerate(coders):
        before = sum(map(len, wanted[:i]))
        found = _rows(_Attempt(coder, judge, note), wanted[i], section, again)
        for done, row in enumerate(found, before + 1):
            if row not in section["rows"]:
                keep(row)
            rows.append(row)
            progress(done, total)
    return rows


def rates_of(coder: Coder, rates: Sequence[float], dim: int) -> tuple[float, ...]:
    """Rates at which a coder is measured when `rates` are asked for, ascending.

    A coder with rates of its own answers each with the highest that does not cost more, or with its lowest if
    all cost more.
    """
    own = coder.rates(dim)
    if not own:
        return tuple(sorted(set(rates))) if own is None else ()
    return tuple(sorted({max((one for one in own if one <= rate), default=min(own)) for rate in rates}))


def _rows(attempt: _Attempt, rates: Sequence[float], section: Section, again: bool) -> Iterator[Row]:
    """Row after row of one coder, old or new; a single one if it cannot be trained or has no rate."""
    name, seed = attempt.coder.name, attempt.judge.trial.training.seed
    if not rates:
        yield attempt.failed(None, UsageError(f"has no rate for {attempt.judge.trial.dim} dimensions"))
    for rate in rates:
        old = None if again else find(section, name, rate, seed)
        if old is not None and old["error"] is None:
            yield old
            continue
        try:
            attempt.trained  # noqa: B018  once for all rates; if it fails, it fails for all
        except Exception as exc:  # a coder is a stranger: whatever stops it, the others go on
            yield attempt.failed(None, exc)
            return
        try:
            yield attempt.measure(rate)
        except Exception as exc:
            yield attempt.failed(rate, exc)


@dataclass
class _Attempt:
    """One coder before one judge."""

    coder: Coder
    judge: Judge
    say: Note

    @cached_property
    def trained(self) -> tuple[Trained, Timing]:
        training = self.judge.trial.training
        self.note(f"training on {len(training.x):,} vectors")
        return timed(lambda: self.coder.train(training, self.note), most=1)

    def measure(self, rate: float) -> Row:
        test = self.judge.trial.test.x
        trained, learning = self.trained
        self.note(f"at {rate:g} bytes")
        fitted, fitting = timed(lambda: trained.at(rate, self.note), most=1)
        codes, encoding = timed(lambda: fitted.encode(test.copy()))
        codes = _checked_codes(self.coder, codes, len(test))
        decoded, decoding = timed(lambda: fitted.decode(codes))
        decoded = _checked_vectors(decoded, test.shape)
        _check_alone(fitted, codes, decoded)
        return self._row(rate) | {
            "figures": self.judge.judge(decoded, [len(code) for code in codes]),
            "ideal_bytes": round(fitted.ideal_bytes(codes), 3) if isinstance(fitted, WithIdeal) else None,
            "table_bytes": fitted.table_bytes,
            "train_seconds": round(learning.wall, 2),
            "train_cpu_seconds": round(learning.cpu, 2),
            "fit_seconds": round(fitting.wall, 2),
            "fit_cpu_seconds": round(fitting.cpu, 2),
            "speed": _speed(len(test), encoding, decoding),
        }

    def failed(self, rate: float | None, error: Exception) -> Row:
        kind = "" if isinstance(error, SememeError) else type(error).__name__
        said = [kind, " ".join(str(error).split())]
        return self._row(rate) | {"error": ": ".join(filter(None, said))}

    def note(self, line: str) -> None:
        self.say(f"{self.coder.name}: {line}")

    def _row(self, rate: float | None) -> Row:
        return {
            "coder": self.coder.name,
            "title": self.coder.title,
            "length": self.coder.length,
            "source": self.coder.source,
            "rate": rate,
            "seed": self.judge.trial.training.seed,
            "error": None,
            "figures": None,
            "ideal_bytes": None,
            "table_bytes": None,
            "train_seconds": None,
            "train_cpu_seconds": None,
            "fit_seconds": None,
            "fit_cpu_seconds": None,
            "speed": None,
        }


def _checked_codes(coder: Coder, codes: list[bytes], n: int) -> list[bytes]:
    """Copies of the messages: real bytes, one string for each vector, of one length if the coder says so."""
    if len(codes) != n or not all(isinstance(code, bytes) for code in codes):
        raise VectorError(f"expected {n} messages of bytes, got {len(codes)}")
    lengths = {len(code) for code in codes}
    if coder.length == "fixed" and len(lengths) > 1:
        raise VectorError(f"says that its messages have one length, but they take {sorted(lengths)} bytes")
    return [bytes(bytearray(code)) for code in codes]


def _checked_vectors(decoded: Embeddings, shape: tuple[int, ...]) -> Embeddings:
    decoded = np.asarray(decoded)
    if decoded.shape != shape or decoded.dtype.kind != "f" or not np.isfinite(decoded).all():
        raise VectorError(f"decoded to {decoded.dtype} {decoded.shape}, not to finite floats {shape}")
    if np.abs(np.linalg.norm(decoded, axis=1) - 1).max() > _TOLERANCE:
        raise VectorError("decoded vectors are not of unit length")
    return decoded


def _check_alone(fitted: Fitted, codes: list[bytes], decoded: Embeddings) -> None:
    """Each message must decode without the others, or its length is not all that it costs."""
    for row in np.linspace(0, len(codes) - 1, min(_ALONE, len(codes))).astype(int):
        alone = fitted.decode([codes[row]])
        if np.shape(alone) != (1, decoded.shape[1]) or np.abs(alone[0] - decoded[row]).max() > _TOLERANCE:
            raise VectorError(f"message {row} decodes to something else without the other messages")


def _speed(n: int, encoding: Timing, decoding: Timing) -> dict[str, Any]:
    here = machine()
    return {
        "encode_per_s": round(n / max(encoding.wall, 1e-9)),
        "decode_per_s": round(n / max(decoding.wall, 1e-9)),
        "encode_per_cpu_s": round(n / max(encoding.cpu, 1e-9)),
        "decode_per_cpu_s": round(n / max(decoding.cpu, 1e-9)),
        "runs": [encoding.runs, decoding.runs],
        **{key: here[key] for key in ("cpu", "cores", "threads")},
    }
