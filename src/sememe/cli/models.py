"""`sememe models`: which profiles and backbones are on this machine, and where."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sememe.cli.output import Output
from sememe.errors import ModelUnavailableError, UsageError

NAME = "models"
SUMMARY = "list profiles and backbones, and where they are"
EXAMPLE = "sememe models list\nsememe models path nano"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("action", choices=["list", "path"], help="list all, or print the paths of one")
    parser.add_argument("name", nargs="?", metavar="ID", help="the profile or backbone whose files to print")


def run(args: argparse.Namespace, out: Output) -> int:
    """List everything, or print where one thing is."""
    rows = [*_profiles(), *_backbones()]
    if args.action == "list":
        for row in rows:
            state = row["path"] or ("needs no files" if row["available"] else "not on this machine")
            out.record(row, f"{row['kind']:8}  {row['id']:14}  {state}")
        return 0
    found = [row for row in rows if row["id"] == args.name]
    if not found:
        raise UsageError(
            f"{args.name or 'path'}: name one of {', '.join(dict.fromkeys(r['id'] for r in rows))}"
        )
    if not any(row["available"] for row in found):
        raise ModelUnavailableError(f"{args.name}: its weights are not on this machine")
    for row in found:
        if row["path"]:
            out.record(row, row["path"])
    return 0


def _profiles() -> Iterator[dict[str, Any]]:
    from sememe.profile import REGISTERED, available, shipped_path

    for name in REGISTERED.values():
        here = name in available()
        yield {
            "id": name,
            "kind": "profile",
            "available": here,
            "path": str(shipped_path(name)) if here else None,
        }


def _backbones() -> Iterator[dict[str, Any]]:
    from sememe import backbones

    for name in backbones.BUILT_IN:
        folder = Path(backbones.__file__).parents[1] / "data" / name
        here = folder.is_dir() and any(folder.iterdir())
        available = here or name.startswith("toy/")  # which has no weights
        yield {"id": name, "kind": "backbone", "available": available, "path": str(folder) if here else None}
    for name in backbones.KNOWN:
        yield {"id": name, "kind": "backbone", "available": False, "path": None}
