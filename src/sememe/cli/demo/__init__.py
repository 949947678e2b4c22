"""`sememe demo`: everything at once, on a dozen photographs, with a report."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from sememe.cli import options
from sememe.cli.output import Output

NAME = "demo"
SUMMARY = "show everything on a dozen photographs, with a report"
EXAMPLE = "sememe demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("--folder", default=".", metavar="DIR", help="where to put the files (default: here)")
    options.add_profile(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Encode, classify, search, cut, and write the report."""
    from sememe.cli.demo import photos, story, tables
    from sememe.disk import writing
    from sememe.report import render

    started = time.monotonic()
    folder = Path(args.folder)
    report_file = folder / "demo-report.html"
    profile = args.profile or options.DEFAULT_PROFILE
    told = story.tell(photos.copy_photos(folder / "demo-photos"), folder / "demo.sems", profile)
    with writing(report_file) as file:
        file.write(render(told).encode())
    files = {"archive": str(folder / "demo.sems"), "report": str(report_file)}
    fields = tables.fields(told) | files | {"seconds": round(time.monotonic() - started, 1)}
    out.record(fields, tables.text(told))
    out.note(f"\n{fields['seconds']} s. The codes are in {files['archive']}, the report is {files['report']}")
    return 0
