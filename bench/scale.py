"""What a million images cost to search, and what folders of photographs cost to encode.

*Pipeline*: photographs of 640 x 480 as JPEG, through `encode_paths`, beside the bare encoder on the same
pictures already decoded, and beside the obvious script: Pillow, whole pictures, one by one.
*Search*: an archive of codes drawn at random, which decode to draws from the profile's own distribution; the
shortlist is made, renewed after ten thousand more, and asked; recall is against comparing every code. The
command is run cold, in a process of its own.
*Others*: float32 in a flat FAISS index, and usearch's i8, on the same decoded vectors.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import output
from sememe import api, encode_paths
from sememe.api import Codec
from sememe.api.identity import for_archive
from sememe.archive import Archive, NewItem
from sememe.index import cache as index_cache

NBYTES, TOP = 16, 10
QUERIES = (
    "a dog in snow",
    "two parrots",
    "an old house",
    "a red flower",
    "a crowded street",
    "mountains at dusk",
)
MORE = 10_000


def main() -> None:
    """Measure what is asked for."""
    parser = output.parser(__doc__)
    parser.add_argument(
        "--images", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="archive sizes"
    )
    parser.add_argument(
        "--photos", type=int, default=200, help="photographs of the pipeline; 0 leaves it out"
    )
    parser.add_argument("--folder", type=Path, help="where to put archives (a temporary folder)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        result: dict[str, Any] = {"load_average": round(os.getloadavg()[0], 2)}
        if args.photos:
            result["pipeline"] = pipeline(folder, args.photos)
        result["search"] = [search(folder, images) for images in args.images]
    output.emit(result, args.output)


def pipeline(folder: Path, count: int) -> dict[str, Any]:
    """Pictures a second of the bare encoder, the whole way and the obvious script; medians of three."""
    photos = make_photos(folder / "photos", count)
    codec = api.load("nano")
    decoded = [Image.open(path).convert("RGB") for path in photos]
    codec.space.embed_images(decoded[:4])
    output.note(f"pipeline: {count} photographs")

    def whole() -> None:
        target = folder / "photos.sems"
        for old in folder.glob("photos.sems*"):
            old.unlink()
        encode_paths(folder / "photos", target, codec, workers=2, progress=False)

    def obvious() -> None:
        for path in photos:
            x = codec.space.embed_images([Image.open(path).convert("RGB")])
            codec.encode_vectors(x)

    runs = {"bare": lambda: codec.space.embed_images(decoded), "whole": whole, "obvious": obvious}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(3):  # in turn, so that a busy minute hits all alike
        for name, run in runs.items():
            seconds[name].append(timed(run))
    rates = {name: round(count / statistics.median(taken), 1) for name, taken in seconds.items()}
    ratios = {
        "whole_over_bare": round(rates["whole"] / rates["bare"], 3),
        "whole_over_obvious": round(rates["whole"] / rates["obvious"], 3),
    }
    return {"photographs": count, "pixels": [640, 480], "per_second": rates, **ratios}


def make_photos(folder: Path, count: int) -> list[Path]:
    """Write different JPEG files of 640 x 480, cut out of scikit-image's and scikit-learn's photographs."""
    from skimage import data
    from sklearn.datasets import load_sample_images

    sources = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    sources += [Image.fromarray(part()) for part in (data.astronaut, data.coffee, data.chelsea, data.rocket)]
    folder.mkdir()
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        source = sources[number % len(sources)]
        width = int(source.width * rng.uniform(0.5, 1))
        height = min(source.height, width * 3 // 4)
        left, top = rng.integers(0, source.width - width + 1), rng.integers(0, source.height - height + 1)
        paths.append(folder / f"{number:04d}.jpg")
        source.crop((left, top, left + width, top + height)).resize((640, 480)).save(paths[-1], quality=88)
    return paths


def search(folder: Path, images: int) -> dict[str, Any]:
    """One archive: its size, its shortlist, cold and warm queries, and what these miss."""
    output.note(f"search: {images:,} images")
    path = folder / f"{images}.sems"
    codec = api.load("nano")
    put = timed(lambda: fill(path, codec, 0, images))
    found: dict[str, Any] = {
        "images": images,
        "put_seconds": round(put, 2),
        "code_bytes_per_image": round(code_bytes(path) / images, 2),
        "load_seconds": round(timed(lambda: codec.read(path)), 3),
    }
    source = codec.read(path)
    codec.space.background(("{}",))
    small = images < index_cache.LARGE
    if not small:
        found["index_seconds"] = round(timed(lambda: codec.search(source, QUERIES[0])), 2)
        fill(path, codec, images, MORE)
        source = codec.read(path)
        found["add_10000_seconds"] = round(timed(lambda: codec.search(source, QUERIES[0])), 2)
        found["index_bytes_per_image"] = round(source.cache.file.stat().st_size / len(source), 1)  # type: ignore[union-attr]
    background = codec.space.background(("{}",))
    shortlist = source.shortlist(background)
    warm: list[float] = []
    right = []
    for text in QUERIES:
        codec.space.embed_texts([text])
        warm += [timed(lambda text=text: ask(codec, source, shortlist, text)) for _ in range(5)]
        exact = {hit.row for hit in codec.search(source, text, k=TOP, exact=True)}
        right.append(len(exact & {hit.row for hit in ask(codec, source, shortlist, text)}) / TOP)
    found["warm_ms"] = round(1000 * statistics.median(warm), 1)
    found["recall_at_10"] = round(statistics.mean(right), 4)
    found["cold_seconds"] = round(statistics.median(timed(lambda: run(path)) for _ in range(3)), 2)
    found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    for old in folder.glob(f"{images}.sems*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    return found


def ask(codec: Codec, source: Any, shortlist: Any, text: str) -> Any:
    """One query of a process that has everything loaded."""
    from sememe import index
    from sememe.metrics.calibration import Term

    background = codec.space.background(("{}",))
    query = background.query([Term(codec.space.embed_texts([text])[0], "text")])
    return index.search(query, source, background, k=TOP, shortlist=shortlist)


def fill(path: Path, codec: Codec, first: int, count: int) -> None:
    """Put random codes into an archive, made if it is not there."""
    rng = np.random.default_rng(first + 1)
    archive = (
        Archive.open(path, write=True)
        if path.exists()
        else Archive.create(path, for_archive(codec.profile), NBYTES)
    )
    with archive:
        for start in range(first, first + count, 65_536):
            rows = range(start, min(start + 65_536, first + count))
            codes = rng.integers(0, 256, (len(rows), NBYTES), np.uint8)
            archive.put([NewItem(f"{row // 1000:05d}/IMG_{row:08d}.jpg", 0, 1, b"-") for row in rows], codes)


def code_bytes(path: Path) -> int:
    """Bytes of the blocks of codes, their rows and checksums included."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT sum(length(data) + length(present) + 32) FROM codes").fetchone()
    return int(row[0])


def run(path: Path) -> None:
    """Search from the command line."""
    command = [sys.executable, "-m", "sememe", "search", str(path), QUERIES[0]]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})


def timed(function: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
