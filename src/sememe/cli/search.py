"""`sememe search`: pictures by words, by a picture or by both."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.output import Output

if TYPE_CHECKING:
    from sememe.index import Hit

NAME = "search"
SUMMARY = "find pictures in an archive by words, by a picture, or by both"
EXAMPLE = """\
sememe search photos.sems "two parrots" - cage -t 5
sememe search photos.sems ./pool.jpg + "2:golden retriever" -f"""

_STRENGTHS = {"none": 0, "weak": 1, "strong": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to search")
    parser.add_argument(
        "query", nargs="+", metavar="QUERY", help="text, image or .sem file; join with + and -, weigh with 2:"
    )
    options.add_top(parser, default=10)
    parser.add_argument("-f", "--filepath-only", action="store_true", help="print paths only")
    parser.add_argument("--min", choices=["weak", "strong"], default="none", help="leave out weaker results")
    parser.add_argument(
        "--exact", action="store_true", help="compare with every code, also where a shortlist would be faster"
    )
    options.add_bytes(parser, default="all there are")
    options.add_profile(parser)
    options.add_device(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Print the best matches, best first."""
    from sememe.cli.sources import Sources

    sources = Sources(args.profile, args.bytes)
    for group in sources.groups([args.archive]):
        with out.progress("index") as tell:
            hits = group.codec.search(group.codes, args.query, k=args.top, exact=args.exact, tell=tell)
        for hit in hits:
            if _STRENGTHS[hit.strength] >= _STRENGTHS[args.min]:
                _print(hit.at(group.names[hit.row]), args.filepath_only, out)
    return out.failures(sources.failed, total=1)


def _print(hit: Hit, filepath_only: bool, out: Output) -> None:
    path = hit.path or ""
    out.record(hit.to_json(), path if filepath_only else f"{hit.strength:6}  {hit.score:5.1f}  {path}")
