"""How often the best box for a name lies on the thing, in pictures made of several photographs.

The variants of nano that `python -m recipes.nano --cache CACHE` trained never saw the photographs that the
composites are made of: variant a is tested on the sources of part a, variant b on those of part b, each with
a profile fitted on what it did see. `NEAR` and `KNOWN` are those of the best overlap with the right box
(`--choose`), for each part on the other, and the same on both; `COEFFICIENT` is that of the best cosine of
windows of part b, and moves pointing by less than the interval. A box is right if its centre lies in the
thing's box.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from recipes.nano import data

import output
from composites import load_photos
from region_judge import BUDGETS, NBYTES, Judge, Tally, joined
from sememe import Codec, Profile
from sememe.backbones.nano import NanoBackbone
from sememe.bitstream import WHOLE
from sememe.regions.budget import KNOWN, NEAR
from sememe.regions.prediction import COEFFICIENT

PARTS = ("a", "b")
#: Values that `--choose` compares, and the budget at which it does.
NEARS, KNOWNS, COEFFICIENTS, CHOOSE_AT = (0.1, 0.15, 0.2, 0.3), (0.0, 0.5, 1.0), (0.0, 0.25), 96
ALONE = 2.0
"""An intersection over union that no two windows reach."""


def measure(judge: Judge, count: int) -> dict[str, Tally]:
    """Judge every way of coding on the same composites."""
    found: defaultdict[str, Tally] = defaultdict(Tally)
    for scene in judge.scenes(count):
        x, boxes = scene.vectors, [WHOLE, *scene.boxes]
        found["all windows, float"].add(scene, boxes, judge.scores(scene, x), 4 * x.size)
        ours, plain = judge.offer(scene), judge.offer(scene, 0.0)
        for budget, most in BUDGETS.items():
            chosen = ours.spent(budget)
            rows = [row for row, _ in chosen]
            spread = np.linspace(0, len(boxes) - 2, min(most, len(boxes) - 1)).round().astype(int)
            judge.read(found[f"ours, {budget}"], scene, ours.file(chosen))
            same = [0, *(row + 1 for row in rows)]
            exact = judge.scores(scene, x[same])
            found[f"float, {budget}"].add(scene, [boxes[row] for row in same], exact, 4 * x[same].size)
            judge.look(found[f"equal, {budget}"], scene, ours, ours.even(rows, budget))
            judge.look(found[f"unpredicted, {budget}"], scene, plain, plain.spent(budget))
            judge.look(found[f"alone, {budget}"], scene, ours, ours.spent(budget, near=ALONE))
            judge.look(found[f"known, {budget}"], scene, ours, ours.spent(budget, known=1.0))
            judge.look(found[f"spread, {budget}"], scene, plain, plain.even(spread.tolist(), budget))
    return dict(found)


def compare_settings(judge: Judge, count: int) -> dict[str, Tally]:
    """Judge the settings that the other part is to be tested with, at one budget."""
    found: defaultdict[str, Tally] = defaultdict(Tally)
    for scene in judge.scenes(count):
        for coefficient in COEFFICIENTS:
            offered = judge.offer(scene, coefficient)
            for near, known in product(NEARS, KNOWNS):
                chosen = offered.spent(CHOOSE_AT, near=near, known=known)
                name = f"near {near}, known {known}, coefficient {coefficient}"
                judge.look(found[name], scene, offered, chosen)
    return dict(found)


def judge_part(part: str, *, cache: Path, images: Path, count: int, choose: bool) -> dict[str, Tally]:
    """Measure one part."""
    nano = NanoBackbone(folder=cache / f"variant-{part}")
    codec = Codec(_profile(part, cache, images, nano), backbone=nano)
    photos = load_photos(images, data.PARTS[part])
    judge = Judge(codec, photos, cache / f"regions-{part}-{count}.npy")
    return (compare_settings if choose else measure)(judge, count)


def main() -> None:
    """Measure both parts, each in a process of its own, with the options of the command line."""
    parser = output.parser(__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="where recipes.nano keeps its variants")
    parser.add_argument("--count", type=int, default=30, help="composites of each layout")
    parser.add_argument("--choose", action="store_true", help="compare settings instead")
    args = parser.parse_args()
    options = {"cache": args.cache, "images": args.data / "images", "count": args.count}
    with ProcessPoolExecutor(len(PARTS)) as pool:
        found = list(pool.map(partial(judge_part, **options, choose=args.choose), PARTS))
    both = {name: joined(tallies[name] for tallies in found) for name in found[0]}
    report = {
        "composites": 3 * args.count * len(PARTS),
        "phrases": len(next(iter(both.values())).right),
        "sources": {part: list(data.PARTS[part]) for part in PARTS},
        "code_bytes": NBYTES,
        "settings": {"near": NEAR, "known": KNOWN, "coefficient": COEFFICIENT},
        "both": {name: tally.figures() for name, tally in both.items()},
    }
    for part, tallies in zip(PARTS, found, strict=True):
        report[f"part_{part}"] = {name: tally.figures() for name, tally in tallies.items()}
    output.emit(report, args.output)


def _profile(part: str, cache: Path, images: Path, nano: NanoBackbone) -> Profile:
    """Fit a profile on the vectors of the pictures that the variant did see."""
    vectors, texts = (
        np.load(cache / f"{kind}-{part}.npy").astype(np.float32) for kind in ("vectors", "texts")
    )
    seen = ~np.isin(data.read_pictures(images).source, data.PARTS[part]) & ~np.isnan(vectors[:, 0])
    manifest = {"profile_id": "nano", "space_id": nano.space_id, "backbone_id": nano.backbone_id}
    return Profile.fit(vectors[seen], texts, manifest=manifest)


if __name__ == "__main__":
    main()
