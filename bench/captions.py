"""Captions from codes: how often they are right, how honest their confidence is, and what shorter codes cost.

With nano on sources that a variant never saw (`--cache`, the folder that recipes.nano left), and with real
CLIP vectors on labelled sets and on Flickr8k's captions. The figures of a source come from constants that
were fitted on the other sources; the constants that ship are those fitted on all of them. And what the
shipped nano says of the demo's photographs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import caption_clip
import caption_nano
import output
import sememe
from sememe.api.captioning import caption
from sememe.cli.demo.photos import copy_photos

PARTS = ("clip", "nano", "demo")


def main() -> None:
    """Measure what is asked for; parts that are not keep what the output file says of them."""
    parser = output.parser(__doc__)
    parser.add_argument("--cache", type=Path, help="the cache of recipes.nano; needed for nano")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure")
    args = parser.parse_args()
    if "nano" in args.only and args.cache is None:
        parser.error("nano is measured with what recipes.nano left: give --cache")
    known = {}
    if args.output is not None and args.output.exists():
        known = json.loads(args.output.read_text("utf-8"))
    output.emit(
        {part: measured(part, args) if part in args.only else known[part] for part in PARTS}, args.output
    )


def measured(part: str, args: argparse.Namespace) -> dict[str, Any]:
    """Measure one part."""
    if part == "clip":
        return caption_clip.measure(args.data)
    if part == "nano":
        return caption_nano.measure(args.cache, args.data)
    return demo()


def demo() -> dict[str, Any]:
    """Caption the demo's photographs from 16 bytes, with the constants that ship."""
    codec = sememe.load("nano")
    with tempfile.TemporaryDirectory() as folder:
        photos = copy_photos(Path(folder))
        codes = codec.encode(list(photos.values()))
    told = caption(codec, codes, alternatives=1)
    return {
        name: {"caption": first.to_json(), "next": [other.to_json() for other in others]}
        for name, (first, *others) in zip(photos, told, strict=True)
    }


if __name__ == "__main__":
    main()
