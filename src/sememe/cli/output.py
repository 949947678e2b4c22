"""What a verb says: data on stdout (text or JSON lines), notes, failures and progress on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sememe.errors import UsageError


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

    def failures(self, failed: Mapping[str, str], total: int) -> int:
        """List inputs that failed and return the exit code: 0 none, 3 some, 1 all of them."""
        for path, message in failed.items():
            line = " ".join(message.split())
            print(f"sememe: {line if path in line else f'{path}: {line}'}", file=sys.stderr)
        if not failed:
            return 0
        return 1 if len(failed) >= total else 3

    def binary(self, data: bytes, *, what: str) -> None:
        """Write bytes to stdout; refuse a terminal, which they would only garble."""
        if sys.stdout.isatty():
            raise UsageError(
                f"{what} are bytes, not text for a terminal: redirect stdout, or name a file with -o"
            )
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int], None] | None]:
        """Yield a callback(done, total) that draws a bar, or None where nobody would see one."""
        if self.quiet or not sys.stderr.isatty():
            yield None
            return
        from tqdm import tqdm

        with tqdm(desc=what, unit="", leave=False, file=sys.stderr) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield show
