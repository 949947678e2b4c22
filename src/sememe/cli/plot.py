"""`sememe plot`: reports of `sememe bench` as pictures, pages and tables."""

from __future__ import annotations

import argparse
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.output import Output
from sememe.errors import UsageError

if TYPE_CHECKING:
    from sememe.evaluate import Report

NAME = "plot"
SUMMARY = "draw reports of bench: bytes against meaning"
EXAMPLE = """\
sememe plot report.json -o report.html
sememe plot report.json more.json --metric recall_at_10 -o recall.svg"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("reports", nargs="+", metavar="REPORT", help="JSON files that bench wrote")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="picture (.svg, .png) or page (.html) to write"
    )
    parser.add_argument(
        "--metric", metavar="M", help="figure to plot (default centred_cosine; on a page all there are)"
    )
    parser.add_argument("--trial", metavar="NAME", help="trial to show, if the reports hold several")
    parser.add_argument(
        "--set", default="all", metavar="S", help="a set by its name, mean (over sets), or all (default)"
    )
    parser.add_argument(
        "--max-bytes", type=options.count, default=inf, metavar="N", help="plot nothing above N bytes"
    )
    parser.add_argument(
        "--table", nargs="?", const="md", choices=["md", "html"], help="print tables (default md)"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Draw, write and print what is asked for."""
    from sememe.evaluate.tables import both

    if not args.output and not args.table:
        raise UsageError("name what to write with -o (.svg, .png, .html), or print tables with --table")
    report = _merged(args)
    fields = {
        "output": args.output,
        "trials": [section["name"] for section in report.sections],
        "metrics": _write(args, report) if args.output else [],
        "set": args.set,
        "coders": list(dict.fromkeys(row["coder"] for one in report.sections for row in one["rows"])),
    }
    told = [both(section, args.set, args.table) for section in report.sections] if args.table else []
    if args.output:
        told.append("{}: {}".format(args.output, ", ".join(fields["metrics"])))
    out.record(fields, "\n".join(told))
    return 0


def _merged(args: argparse.Namespace) -> Report:
    """One report of all that were named, cut down to the trial asked for."""
    from sememe.evaluate import Report

    first, *others = [Report.read(name) for name in args.reports]
    for other in others:
        first.merge(other)
    if args.trial is not None:
        first.sections = [first.named(args.trial)]
    sets = list(dict.fromkeys(name for section in first.sections for name in section["sets"]))
    if args.set not in ("all", "mean"):
        first.sections = [section for section in first.sections if args.set in section["sets"]]
    if not first.sections:
        known = f"no set is called {args.set!r}; there are all, mean, {', '.join(sets)}"
        raise UsageError(known if sets else f"{args.reports[0]}: holds no trial; measure with sememe bench")
    return first


def _write(args: argparse.Namespace, report: Report) -> list[str]:
    """Write the picture or page; return the figures on it."""
    from sememe.disk import writing
    from sememe.evaluate.curves import METRICS, chart, metrics_of

    kind = Path(args.output).suffix.lower().removeprefix(".")
    if kind not in ("svg", "png", "html"):
        raise UsageError(f"{args.output}: name a picture (.svg, .png) or a page (.html)")
    if kind == "html":
        from sememe.evaluate.page import page

        known = {metric for section in report.sections for metric in metrics_of(section, args.set)}
        shown = [metric for metric in METRICS if metric in known and args.metric in (None, metric)]
        if not shown:
            raise UsageError(f"no figure is called {args.metric!r}; there are {', '.join(METRICS)}")
        data = page(report, args.set, shown, args.max_bytes).encode()
    else:
        from sememe.evaluate.plot import draw

        shown = [args.metric or METRICS[0]]
        section = report.named(args.trial)
        data = draw(chart(section, shown[0], args.set, args.max_bytes), kind)
    with writing(args.output) as file:
        file.write(data)
    return shown
