"""`sememe report`: what an archive holds, as one page that needs nothing beside it."""

from __future__ import annotations

import argparse
from pathlib import Path

from sememe.cli import options
from sememe.cli.files import STDIO, writable
from sememe.cli.output import Output

NAME = "report"
SUMMARY = "write what an archive holds as one HTML page"
EXAMPLE = "sememe report photos.sems -o report.html"

_CARDS = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to report on")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="page to write; - is stdout")
    parser.add_argument(
        "--query",
        action="append",
        default=[],
        metavar="Q",
        help="search for this (may be repeated; default: the commonest labels)",
    )
    parser.add_argument(
        "--cards",
        type=options.count,
        default=_CARDS,
        metavar="N",
        help=f"pictures shown with their codes (default {_CARDS})",
    )
    parser.add_argument(
        "--root", metavar="DIR", help="folder that the archive's paths start from (default: here)"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Choose, render, write."""
    from sememe.disk import writing
    from sememe.report import render
    from sememe.web.summary import summarise

    root = None if args.root is None else Path(args.root)
    told = summarise(Path(args.archive), root=root, queries=args.query, count=args.cards)
    page = render(told).encode()
    with writable(args.output) as target, writing(target) as file:
        file.write(page)
    if args.output != STDIO:
        fields = {
            "path": args.archive,
            "output": args.output,
            "images": told.total,
            "cards": len(told.cards),
            "pictures": sum(photo.thumbnail is not None for photo in told.photos),
            "searches": [search.query for search in told.searches],
            "page_bytes": len(page),
        }
        out.record(fields, f"{args.output}  {told.total:,} images, {len(page):,} bytes")
    return 0
