"""`sememe map`: an archive as a plane on which pictures that mean alike lie together."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.cli import options
from sememe.cli.output import Output
from sememe.errors import InputError, UsageError

if TYPE_CHECKING:
    from sememe.api.mapping import Map

NAME = "map"
SUMMARY = "draw an archive as a map: pictures that mean alike lie together"
EXAMPLE = """\
sememe map photos.sems -o map.html --thumbnails
sememe map photos.sems -o map.json --labels cat,dog,truck"""

KINDS = ("html", "svg", "png", "json")
_SIDE = 160  # pixels of a thumbnail, several times what is drawn, for screens that are finer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's own arguments."""
    parser.add_argument("archive", metavar="ARCHIVE", help="archive to draw")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="page (.html), picture (.svg, .png) or data (.json)",
    )
    parser.add_argument("--thumbnails", action="store_true", help="draw the pictures, where they can be read")
    parser.add_argument(
        "--root",
        metavar="DIR",
        help="folder that the archive's paths start from (default: the working folder)",
    )
    parser.add_argument(
        "--clusters", type=options.count, metavar="K", help="clusters at most (default: up to 12)"
    )
    parser.add_argument("--all", action="store_true", help="all pictures, not a sample of 3,000")
    options.add_labels(parser)
    options.add_profile(parser)
    options.add_device(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Draw, write, and say what is on the map."""
    from sememe import api
    from sememe.api.mapping import make_map
    from sememe.archive import Archive
    from sememe.disk import writing

    kind = Path(args.output).suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise UsageError(f"{args.output}: name a page (.html), a picture (.svg, .png) or data (.json)")
    with Archive.open(args.archive) as archive:
        codec = api.codec_for(archive, profile=args.profile)
    found = make_map(
        codec,
        args.archive,
        labels=args.labels,
        template=args.template,
        clusters=args.clusters,
        everything=args.all,
    )
    thumbnails = _thumbnails(found, args.root, out) if args.thumbnails and kind != "json" else {}
    data = _drawn(found, thumbnails, kind)
    with writing(args.output) as file:
        file.write(data)
    clusters = [{"name": one.name, "share": one.share, "count": one.count} for one in found.clusters]
    fields = {"output": args.output, "images": found.images, "points": len(found.points)}
    fields |= {"thumbnails": len(thumbnails), "clusters": clusters}
    names = ", ".join(f"{one.name or 'none'} {one.count:,}" for one in found.clusters)
    out.record(fields, f"{args.output}: {len(found.points):,} of {found.images:,} pictures  {names}")
    return 0


def _drawn(found: Map, thumbnails: dict[str, bytes], kind: str) -> bytes:
    from sememe.report import mappictures, maps

    if kind == "json":
        return (json.dumps(found.to_json(), indent=1) + "\n").encode()
    if kind == "png":
        return mappictures.png(found, thumbnails)
    draw = maps.page if kind == "html" else maps.svg
    return draw(found, thumbnails).encode()


def _thumbnails(found: Map, root: str | None, out: Output) -> dict[str, bytes]:
    """Read as many originals as the map has room for, those that are still what was encoded."""
    from sememe.report.maps import chosen
    from sememe.web.pictures import Pictures

    pictures = Pictures(None if root is None else Path(root))
    made: dict[str, bytes] = {}
    room = chosen(found, {point.item.path for point in found.points})
    with out.progress("thumbnails") as tell:
        for done, item in enumerate((one.item for one in found.points if one.item.path in room), start=1):
            try:
                made[item.path] = pictures.thumbnail(item, _SIDE)
            except InputError:
                continue
            finally:
                if tell is not None:
                    tell(done, len(room))
    missing = len(room) - len(made)
    if missing:
        out.note(f"{missing:,} of {len(room):,} originals are not there or changed, and are drawn as dots")
    return made
