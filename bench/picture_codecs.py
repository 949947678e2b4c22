"""Image codecs at equal meaning and at equal bytes: five families beside our codes.

The protocol is that of `sememe.evaluate.imagecodecs`. With `--cache` and `--variant`, backbone and profile
are a variant of nano's recipe that never saw the sources judged; otherwise the shipped ones, which did.
Rows that the output file holds already are not measured again. `--plot` draws them.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import output
import picture_photos
import picture_plot
import picture_pool
from picture_judge import Floats, Judge, Row
from picture_reach import reached
from sememe import bitstream, load
from sememe.api import Codec
from sememe.backbones.nano import NanoBackbone
from sememe.errors import MissingExtraError
from sememe.evaluate import imagecodecs
from sememe.evaluate.imagecodecs import FORMATS, Packer, Setting
from sememe.profile import Profile
from sememe.types import Backbone

if TYPE_CHECKING:
    from PIL.Image import Image

BYTES = (2, 4, 8, 16, 32, 64)

#: Sides (None: as stored) and the qualities of each: on 120 other pictures the best steps on the way up to
#: what 16 bytes of ours give, and beyond.
GRID: dict[str, dict[int | None, tuple[int, ...]]] = {
    "jpeg": {8: (20,), 16: (20,), 32: (20,), 64: (20,), 96: (20,), None: (30, 60)},
    "webp": {16: (0,), 32: (0,), 48: (0, 20), 64: (20,), 96: (20,), None: (30, 65)},
    "avif": {16: (20,), 24: (20,), 64: (0,), 96: (0,), None: (0, 20, 40, 60)},
    "jxl": {16: (20,), 64: (0,), 96: (0,), None: (0, 20, 45, 70)},
    "pixels": {4: (0,), 8: (0,), 16: (0,)},
}


class Embedder:
    """A backbone that remembers: formats of one family often show the same pixels."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._known: dict[bytes, Floats] = {}

    def __call__(self, pictures: Sequence[Image]) -> Floats:
        """Embed pictures, those seen before from memory."""
        keys = [hashlib.sha256(repr(p.size).encode() + p.tobytes()).digest() for p in pictures]
        new = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in self._known}
        vectors = self._backbone.embed_images(list(new.values()))
        self._known |= dict(zip(new, vectors, strict=True))
        return np.stack([self._known[key] for key in keys])


def codec_of(args: argparse.Namespace, pool: picture_pool.Pool) -> Codec:
    """Load the shipped codec, or make that of a variant, whose profile sees none of the sources either."""
    if not args.cache:
        return load("nano")
    nano = NanoBackbone(folder=args.cache / f"variant-{args.variant}")
    paths = (args.cache / f"{kind}-{args.variant}.npy" for kind in ("vectors", "texts"))
    x, texts = (np.load(path).astype(np.float32) for path in paths)
    seen = ~np.isin(picture_pool.sources_of(args.images), list(pool.names)) & ~np.isnan(x[:, 0])
    manifest = {"profile_id": "variant", "space_id": nano.space_id, "backbone_id": nano.backbone_id}
    return Codec(Profile.fit(x[seen], texts, manifest=manifest), backbone=nano)


def settings() -> Iterator[Setting]:
    """List every setting, the formats that show the same pixels after one another."""
    for family, ladder in GRID.items():
        formats = [name for name, made in FORMATS.items() if made.family == family]
        for side, qualities in ladder.items():
            for quality, name in itertools.product(qualities, formats):
                yield Setting(name, quality, side)


def measure_setting(setting: Setting, judge: Judge, embed: Embedder) -> Row:
    """Code every test picture, count, decode, embed and judge."""
    pictures = [p.image for p in judge.pool.test]
    files = [imagecodecs.encode(picture, setting) for picture in pictures]
    known = [imagecodecs.encode(p.image, setting) for p in judge.pool.known]
    packer = Packer.learn(known, setting.format)
    messages = [packer.pack(file) for file in files]
    back = [packer.unpack(message) for message in messages]
    decoded = [imagecodecs.decode(f, setting, p.size) for f, p in zip(back, pictures, strict=True)]
    about = asdict(setting) | {"family": setting.family, "packing": packer.way}
    return {**about, **judge.sizes(messages, files), **judge.figures(embed(decoded))}


def measure_ours(nbytes: int, judge: Judge, codec: Codec) -> Row:
    """Count and judge our codes: a message is a bare code, a file a `.sem` file."""
    codes = [row.tobytes() for row in codec.encode_vectors(judge.x, nbytes=nbytes).codes]
    files = [bitstream.pack(codec.record(code)) for code in codes]
    return {"nbytes": nbytes, **judge.sizes(codes, files), **judge.figures(codec.decode(codes))}


def identity(judge: Judge, backbone: Backbone, unseen: bool) -> Row:
    """What measured rows depend on; rows of another identity are not taken up."""
    from PIL import features

    libraries = {name: features.version(name) for name in ("libjpeg_turbo", "webp", "avif")}
    mark = hashlib.sha256(np.round(judge.x, 2).tobytes()).hexdigest()[:16]
    return {
        "pictures": judge.pool.digest,
        "backbone": backbone.backbone_id,
        "vectors": mark,
        "never_saw_these_sources": unseen,
        **libraries,
    }


def measure(args: argparse.Namespace) -> Row:
    """Measure what the output file lacks, and keep each row at once."""
    pool = picture_pool.load(args.images, args.test)
    codec = codec_of(args, pool)
    judge, embed = Judge.of(pool, codec.backbone), Embedder(codec.backbone)
    who = identity(judge, codec.backbone, bool(args.cache))
    before = stored(args.output, who)
    rows, missing = [], {}
    for setting in settings():
        row = next((row for row in before["codecs"] if asdict(setting).items() <= row.items()), None)
        try:
            rows.append(row or measure_setting(setting, judge, embed))
        except MissingExtraError as exc:
            missing[setting.format] = str(exc)
            continue
        if row is None:
            output.note(f"{asdict(setting)}: {rows[-1]['bytes']['message']['mean']} bytes")
            keep(args.output, before | {"identity": who, "codecs": [*before["codecs"], *rows]})
    ours = [measure_ours(nbytes, judge, codec) for nbytes in BYTES]
    return {
        "identity": who,
        "pool": about(pool),
        "uncompressed": judge.figures(judge.x),
        "cosine_of_two_pictures": round(
            float((judge.x @ judge.x.T)[~np.eye(len(judge.x), dtype=bool)].mean()), 4
        ),
        "ours": ours,
        "reached": reached(ours, rows, len(pool.test)),
        "photographs": before.get("photographs") or picture_photos.measure(embed),
        "jpeg_xl_plug_in": None if "jxl" in missing else version("pillow-jxl-plugin"),
        "missing": missing,
        "codecs": rows,
    }


def about(pool: picture_pool.Pool) -> Row:
    """Say what was coded."""
    return {
        "test": len(pool.test),
        "queries": len(pool.queries),
        "known": len(pool.known),
        "classes": {source: len(names) for source, names in pool.names.items()},
        "pixels_stored": picture_pool.SIDE**2,
        "pixels_original": round(float(np.mean([p.pixels for p in pool.test]))),
    }


def stored(path: Path | None, who: Row) -> Row:
    """Read what was measured before, if it is of the same pictures, vectors and libraries."""
    if path is not None and path.exists():
        found: Row = json.loads(path.read_text("utf-8"))
        if found.get("identity") == who:
            return found
    return {"codecs": []}


def keep(path: Path | None, found: Row) -> None:
    """Write what is measured so far, whole or not at all."""
    if path is not None:
        part = path.with_suffix(".part")
        part.write_text(json.dumps(found), "utf-8")
        part.replace(path)


def main() -> None:
    """Measure, or draw what was measured."""
    parser = output.parser(__doc__)
    parser.add_argument("--images", type=Path, help="folder of the Parquet shards (DATA/images)")
    parser.add_argument("--cache", type=Path, help="cache of nano's recipe, for a variant of it")
    parser.add_argument("--variant", default="a", help="name of the variant that never saw the sources")
    parser.add_argument("--test", type=int, default=120, help="pictures of each source")
    parser.add_argument("--plot", type=Path, help="draw results/codecs.json there as SVG; measure nothing")
    args = parser.parse_args()
    args.images = args.images or args.data / "images"
    if args.plot:
        picture_plot.draw(json.loads((output.RESULTS / "codecs.json").read_text("utf-8")), args.plot)
    else:
        output.emit(measure(args), args.output)


if __name__ == "__main__":
    main()
