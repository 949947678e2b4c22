"""`sememe find`: where in a picture something is, from the bytes of its regions."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.files import STDIO, read_bytes, writable
from sememe.cli.output import Output
from sememe.errors import UsageError

if TYPE_CHECKING:
    from sememe.api import Codec
    from sememe.bitstream import Record
    from sememe.regions import Finding

NAME = "find"
SUMMARY = "point at what a phrase names, from the codes of a picture's regions"
EXAMPLE = """\
sememe encode photo.jpg --regions 6 -o photo.sem
sememe find photo.sem "the brown building" "a dog"
sememe find photo.sem "the brown building" --draw photo.jpg -o found.png"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("input", metavar="FILE", help=".sem file with regions, or a picture; - reads stdin")
    parser.add_argument("phrases", nargs="+", metavar="PHRASE", help="what to find, each by itself")
    options.add_top(parser, default=1)
    parser.add_argument("--draw", metavar="PICTURE", help="picture to draw on; with -o")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="draw what was found: a .png, on a blank without --draw"
    )
    options.add_profile(parser)
    options.add_device(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Print the best boxes of every phrase, and draw them if asked."""
    if args.draw and not args.output:
        raise UsageError("--draw needs -o FILE.png: the picture that was given is never changed")
    if args.output and not args.output.endswith((".png", "-")):
        raise UsageError(f"-o {args.output}: the drawing is a PNG; name a .png file, or - for stdout")
    codec, record = _read(args)
    findings = codec.find(record, args.phrases)
    for finding in findings:
        if args.output != STDIO:
            out.record({"path": args.input, **finding.to_json(args.top)}, _text(finding, args.top))
    if args.output:
        _draw(args, record, findings)
        if not any(finding.found for finding in findings):
            out.note(f"{args.output}: nothing is drawn on it, because nothing was found")
    return 0


def _read(args: argparse.Namespace) -> tuple[Codec, Record]:
    """Read the record, or make one of a picture."""
    from sememe import api
    from sememe.cli.sources import kind_of, records

    kind = kind_of(args.input)
    if kind in ("archive", "vectors"):
        raise UsageError(
            f"{args.input}: holds no regions, one code an image only; encode the picture to a .sem file"
        )
    if kind == "picture":
        codec = api.load(args.profile or options.DEFAULT_PROFILE)
        return codec, codec.encode_regions(read_bytes(STDIO) if args.input == STDIO else args.input)
    found = records(args.input)
    if len(found) != 1:
        raise UsageError(f"{args.input}: holds {len(found)} records; look into one at a time")
    return api.codec_for(found[0], profile=args.profile), found[0]


def _text(finding: Finding, top: int) -> str:
    lines = []
    for match in finding.matches[:top]:
        left, top_edge, right, bottom = match.box.edges
        where = f"x {left:.2f}-{right:.2f}  y {top_edge:.2f}-{bottom:.2f}"
        lines.append(f"{match.strength:6}  {match.score:5.1f}  {where}  {finding.text}")
    return "\n".join(lines)


def _draw(args: argparse.Namespace, record: Record, findings: list[Finding]) -> None:
    from sememe import api
    from sememe.disk import writing

    drawn = api.draw_findings(record, findings, args.draw, top=args.top)
    with writable(args.output) as target, writing(target) as file:
        drawn.save(file, "PNG")
