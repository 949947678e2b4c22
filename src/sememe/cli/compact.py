"""`sememe compact`: give back the room of what was removed."""

from __future__ import annotations

import argparse

from sememe.cli.output import Output

NAME = "compact"
SUMMARY = "give back the room of what was removed from an archive"
EXAMPLE = "sememe compact photos.sems"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to rewrite without its free room")


def run(args: argparse.Namespace, out: Output) -> int:
    """Compact, and say what it saved."""
    from sememe import api

    before, after = api.compact(args.archive)
    fields = {"archive": args.archive, "before": before, "after": after, "saved": before - after}
    out.record(fields, "{archive}: {after:,} B, {saved:,} B less".format_map(fields))
    return 0
