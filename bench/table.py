"""Write the tables of measured results into Markdown files, between markers, from `results/*.json` only.

A file asks for a table with a pair of comments; whatever stands between them is replaced::

    <!-- table:quality -->
    <!-- /table -->

Every module `*_tables.py` beside this one offers some. With `--check` nothing is written and a stale table is
an error.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

MARKED = re.compile(r"(<!-- table:(\w+) -->\n).*?(<!-- /table -->)", re.DOTALL)

TABLES: dict[str, Callable[[], str]] = {
    name: made
    for path in sorted(Path(__file__).parent.glob("*_tables.py"))
    for name, made in import_module(path.stem).TABLES.items()
}


def fill(text: str) -> str:
    """Replace every marked table in a Markdown text."""
    return MARKED.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], text)


def main() -> None:
    """Fill or check the files named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="Markdown files with table markers")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a table is stale")
    args = parser.parse_args()
    stale = []
    for path in args.files:
        text = path.read_text(encoding="utf-8")
        if fill(text) != text:
            stale.append(str(path))
            if not args.check:
                path.write_text(fill(text), encoding="utf-8")
    if args.check and stale:
        sys.exit(f"table.py: stale tables in {', '.join(stale)}; run it without --check")


if __name__ == "__main__":
    main()
