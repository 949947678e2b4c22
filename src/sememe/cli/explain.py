"""`sememe explain`: what survives of a picture at each length of its code."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.classify import describe
from sememe.cli.files import STDIO, read_bytes
from sememe.cli.output import Output
from sememe.errors import UsageError

if TYPE_CHECKING:
    from sememe.api import Codec, Explanation
    from sememe.bitstream import Record

NAME = "explain"
SUMMARY = "show what survives at each length of a code"
EXAMPLE = "sememe explain cat.sem --against cat.jpg --labels cat,dog,truck"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("input", metavar="INPUT", help="image or .sem file")
    parser.add_argument("--against", metavar="IMAGE", help="the original of a .sem file, to compare with")
    parser.add_argument(
        "--at",
        type=options.byte_counts,
        default=(4, 8, 16, 32),
        metavar="LIST",
        help="lengths (default 4,8,16,32)",
    )
    options.add_labels(parser)
    options.add_top(parser, default=3)
    options.add_profile(parser)
    options.add_device(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Print one row per length."""
    from sememe.zeroshot import TEMPLATE

    item, codec = _subject(args.input, args.profile)
    told = codec.explain(
        item,
        args.labels,
        against=args.against,
        rates=args.at,
        template=TEMPLATE if args.template is None else args.template,
    )
    fields = {"path": args.input, "profile": codec.profile.profile_id, "against": args.against}
    fields |= {key: value for key, value in told.to_json(args.top).items() if key != "input"}
    out.record(fields, _table(args.input, told, args.top))
    return 0


def _subject(name: str, profile: str | None) -> tuple[Record | bytes | str, Codec]:
    from sememe import api
    from sememe.cli.sources import kind_of, records

    kind = kind_of(name)
    if kind in ("archive", "vectors"):
        raise UsageError(f"{name}: explain looks at one image or .sem file")
    if kind == "picture":
        return read_bytes(name) if name == STDIO else name, api.load(profile or options.DEFAULT_PROFILE)
    record, *more = records(name)
    if more:
        raise UsageError(f"{name}: holds {len(more) + 1} records, explain looks at one")
    return record, api.codec_for(record, profile=profile)


def _table(name: str, told: Explanation, top: int) -> str:
    reference = "the whole code" if told.original is None else "the original"
    lines = [f"{name}  {told.code.hex()}", f"bytes  cosine to {reference}, labels"]
    for rate in told.rates:
        cosine = rate.cosine_to_full if rate.cosine is None else rate.cosine
        lines.append(f"{rate.nbytes:5}  {cosine:6.3f}  {describe(rate.prediction, top)}")
    if told.original is not None:
        lines.append(f"    -   1.000  {describe(told.original, top)}")
    return "\n".join(lines)
