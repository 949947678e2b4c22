"""`Report`: what was measured, as one JSON file that grows a row at a time.

::

    report ── schema, machine
      └─ trials ── name, digest, counts, sets, seeds, uncompressed
           ├─ rows ── coder, rate, seed, figures, speed, error
           └─ needed ── bytes needed by each coder

A row is known by the digest of its trial, its coder, its rate and its seed. Measured again, it takes the
place of the one before.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self, TypeAlias

from sememe.disk import writing
from sememe.errors import InputError, UsageError
from sememe.evaluate.judge import Verdict
from sememe.evaluate.needed import needs
from sememe.evaluate.speed import machine
from sememe.evaluate.trial import Trial

__all__ = ["SCHEMA", "Report", "Row", "Section"]

SCHEMA = "sememe-bench/1"

Row: TypeAlias = dict[str, Any]
"""One coder at one rate, or why it has no figures."""

Section: TypeAlias = dict[str, Any]
"""One trial and its rows."""


class Report:
    """Trials and the rows measured on them.

    Parameters
    ----------
    sections
        One for each trial, in the order in which they were first measured.
    made_on
        The machine; this one if not given.
    """

    def __init__(self, sections: Iterable[Section] = (), made_on: dict[str, Any] | None = None) -> None:
        self.sections = list(sections)
        self.machine = machine() if made_on is None else made_on

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a report.

        Raises
        ------
        InputError
            The file cannot be read, or is not a report that this version understands.
        """
        try:
            data = json.loads(Path(path).read_text("utf-8"))
        except OSError as exc:
            raise InputError(f"{path}: cannot be read ({exc.strerror or exc})") from exc
        except (ValueError, RecursionError) as exc:
            raise InputError(f"{path}: not JSON, so no report of sememe bench") from exc
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise InputError(
                f"{path}: its schema is {schema!r}, not {SCHEMA!r}; give a report of sememe bench"
            )
        try:
            sections = data["trials"]
            for section in sections:
                _check(section)
            return cls(sections, data["machine"])
        except (KeyError, TypeError, AttributeError) as exc:
            raise InputError(f"{path}: a damaged report ({exc!r}); measure again into a new file") from exc

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read a report if the file exists; else begin a new one."""
        return cls.read(path) if Path(path).exists() else cls()

    def to_json(self) -> dict[str, Any]:
        """The report as it is stored."""
        return {"schema": SCHEMA, "machine": self.machine, "trials": self.sections}

    def save(self, path: str | Path) -> None:
        """Write the report, whole or not at all (StorageError)."""
        text = json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n"
        with writing(path) as file:
            file.write(text.encode())

    def section(self, trial: Trial, uncompressed: Verdict) -> Section:
        """Find the section of a trial, or begin it."""
        found = next((one for one in self.sections if one["digest"] == trial.digest), None)
        if found is None:
            found = {
                "name": trial.name,
                "digest": trial.digest,
                "dim": trial.dim,
                "counts": trial.counts,
                "sets": list(trial.sets),
                "seeds": [],
                "uncompressed": uncompressed,
                "rows": [],
                "needed": [],
            }
            self.sections.append(found)
        return found

    def named(self, name: str | None) -> Section:
        """Find a section by the name of its trial; None means the only one.

        Raises
        ------
        UsageError
            There is none, or without a name more than one.
        """
        names = [section["name"] for section in self.sections]
        if name is None and len(names) == 1:
            return self.sections[0]
        if name not in names:
            listed = ", ".join(repr(one) for one in names) or "nothing"
            raise UsageError(f"name one trial of the report; it holds {listed}")
        return self.sections[names.index(name)]

    def merge(self, other: Report) -> None:
        """Take over the rows of another report; where both have a row, the other's counts."""
        for theirs in other.sections:
            mine = next((one for one in self.sections if one["digest"] == theirs["digest"]), None)
            if mine is None:
                self.sections.append(copy.deepcopy(theirs))
            else:
                for row in theirs["rows"]:
                    put(mine, row)


def find(section: Section, coder: str, rate: float | None, seed: int) -> Row | None:
    """The row of a coder at a rate, or None."""
    key = (coder, rate, seed)
    return next((row for row in section["rows"] if _key(row) == key), None)


def put(section: Section, row: Row) -> None:
    """Add a row, in place of its like; a coder that runs loses the row that said it cannot be trained."""
    rows: list[Row] = section["rows"]
    trained = row["rate"] is not None
    rows[:] = [
        one
        for one in rows
        if not (trained and (one["coder"], one["rate"], one["seed"]) == (row["coder"], None, row["seed"]))
    ]
    known = [_key(one) for one in rows]
    if _key(row) in known:
        rows[known.index(_key(row))] = row
    else:
        rows.append(row)
    section["seeds"] = sorted({one["seed"] for one in rows})
    section["needed"] = _needed(section)


def measured(section: Section) -> list[Row]:
    """Rows with figures."""
    return [row for row in section["rows"] if row["error"] is None]


def _key(row: Row) -> tuple[str, float | None, int]:
    return row["coder"], row["rate"], row["seed"]


def _needed(section: Section) -> list[dict[str, Any]]:
    """Bytes needed by each coder, over all test vectors and in each set."""
    rows, whole = measured(section), section["uncompressed"]
    runs = dict.fromkeys((row["coder"], row["seed"]) for row in rows)
    found = []
    for coder, seed in runs:
        figures = [row["figures"] for row in rows if (row["coder"], row["seed"]) == (coder, seed)]
        found.append(
            {
                "coder": coder,
                "seed": seed,
                **{part: needs(whole[part], [one[part] for one in figures]) for part in ("all", "mean")},
                "sets": {
                    name: needs(whole["sets"][name], [one["sets"][name] for one in figures])
                    for name in section["sets"]
                },
            }
        )
    return found


def _check(section: Section) -> None:
    """Touch what readers rely on, so that a damaged report is found on reading."""
    whole: Sequence[str] = section["sets"]
    for key in ("name", "digest", "counts", "dim", "seeds", "needed"):
        section[key]
    for row in section["rows"]:
        _key(row)
        if row["error"] is None:
            row["figures"]["all"]["bytes_mean"], row["figures"]["mean"], row["speed"]["encode_per_s"]
            for name in whole:
                row["figures"]["sets"][name]["bytes_mean"]
    section["uncompressed"]["all"]["bytes_mean"]
