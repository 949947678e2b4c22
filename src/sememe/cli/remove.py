"""`sememe remove`: forget images of an archive."""

from __future__ import annotations

import argparse

from sememe.cli.output import Output
from sememe.errors import InputError

NAME = "remove"
SUMMARY = "forget images of an archive"
EXAMPLE = """\
sememe remove photos.sems holiday/blurred.jpg
sememe remove photos.sems 'holiday/*'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to change")
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="paths as the archive knows them, folders, globs in quotes"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Remove, and say how many there were."""
    from sememe import api

    removed, missed = api.remove(args.archive, args.paths)
    fields = {"archive": args.archive, "removed": removed, "missed": missed}
    out.record(fields, "{archive}: {removed:,} removed".format_map(fields))
    failed = {name: InputError("the archive holds nothing of that name") for name in missed}
    return out.failures(failed, removed + len(missed))
