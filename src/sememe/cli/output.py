"""What a verb says: data on stdout (text or JSON lines), notes, failures and progress on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sememe.errors import SememeError

PARTIAL = 3
"""Exit code of a run in which some inputs failed and the rest is done."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where a verb's words go; `json` and `quiet` are the flags every verb has."""

    json: bool
    quiet: bool

    def record(self, fields: Mapping[str, Any], text: str) -> None:
        """Print one result: `fields` as a JSON line under `--json`, else `text`."""
        print(json.dumps(fields) if self.json else text)

    def note(self, text: str) -> None:
        """Tell the user something that is not data; silent under `-q`."""
        if not self.quiet:
            print(text, file=sys.stderr)

    def failures(self, failed: Mapping[str, SememeError], total: int) -> int:
        """List inputs that failed; return the exit code: 0 none, 3 some, if all of them that of the first."""
        for name, error in failed.items():
            line = " ".join(str(error).split())
            print(f"sememe: {line if name in line else f'{name}: {line}'}", file=sys.stderr)
        if not failed:
            return 0
        return PARTIAL if len(failed) < total else next(iter(failed.values())).exit_code

    @contextlib.contextmanager
    def progress(self, what: str, unit: str = "") -> Iterator[Callable[[int, int], None] | None]:
        """Yield a callback(done, total) that draws a bar, or None where nobody would see one."""
        if self.quiet or not sys.stderr.isatty():
            yield None
            return
        from tqdm import tqdm

        with tqdm(desc=what, unit=unit, unit_scale=bool(unit), leave=False, file=sys.stderr) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield show

    @contextlib.contextmanager
    def stages(self) -> Iterator[Callable[[str, int, int], None]]:
        """Yield a callback(line, done, total): a bar that names what goes on, or a note for each line."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda line, done, total: self.note(line)
            return
        from tqdm import tqdm

        form = "{bar:12} {n_fmt}/{total_fmt} [{elapsed}] {desc}"
        with tqdm(unit="", leave=False, file=sys.stderr, bar_format=form) as bar:

            def show(line: str, done: int, total: int) -> None:
                bar.total = total
                bar.n = done
                bar.set_description_str(line)

            yield show
