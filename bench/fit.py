"""What `sememe fit` gives a user: seconds, memory, and how much less a profile of one's own needs.

*Kinds*: 50 to 2,000 vectors of one set stand for a user's pictures of one kind. Each case starts from two
known profiles: the shipped one, which has seen these rows of food101 and sun397, and other rows of fgvc;
and a general one, fitted here to the other sets alone, which never saw the kind. What comes out is judged
on 600 further rows. *Sizes*: 20,000 real vectors of all sets, and 100,000 blends of two of them.
Each case runs in a process of its own, which tells its peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import output
import split
from sememe import api, metrics
from sememe.profile import Profile, load
from sememe.profile.own import AT, LENGTHS, Own, fit_own
from sememe.profile.own.kept import decoded, measure
from sememe.profile.own.report import compare

KINDS = {"fgvc": "test_x", "food101": "shots_x", "sun397": "val_x"}
SIZES = {"fgvc": (50, 200, 2_000), "food101": (50, 200, 1_000), "sun397": (50, 200, 2_000)}
FRESH = 600
SHIPPED = "clip-vit-b32"
MANIFEST = {"profile_id": "own", "space_id": "openai/clip-vit-base-patch32"}


def main() -> None:
    """Run every case in a process of its own; with `--case`, run one."""
    parser = output.parser(__doc__)
    parser.add_argument("--case", help="run this case alone: a kind, 20000 or 100000")
    parser.add_argument("--general", type=Path, help="the general profile's file, made if it is not there")
    args = parser.parse_args()
    if args.case:
        print(json.dumps(run(args.case, args)))
        return
    with tempfile.TemporaryDirectory() as folder:
        args.general = args.general or Path(folder, "general.profile")
        general(args)
        found = {case: spawn(case, args) for case in (*KINDS, "20000", "100000")}
    result = {
        "load_average": os.getloadavg()[0],
        "kinds": {name: found[name] for name in KINDS},
        "sizes": {name: found[name] for name in ("20000", "100000")},
    }
    output.emit(result, args.output)


def spawn(case: str, args: argparse.Namespace) -> Any:
    """Run one case in a process of its own."""
    output.note(f"case {case}")
    options = ["--case", case, "--general", str(args.general), "--data", str(args.data)]
    done = subprocess.run([sys.executable, __file__, *options], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def run(case: str, args: argparse.Namespace) -> Any:
    """One case."""
    return kind(case, args) if case in KINDS else size(int(case), args)


def general(args: argparse.Namespace) -> Profile:
    """A profile of all sets but the kinds, fitted once."""
    if args.general is not None and args.general.exists():
        return load(args.general)
    rows = split.load_split(args.data).fit
    others = rows.x[~np.isin(rows.sets, list(KINDS))]
    manifest = MANIFEST | {"profile_id": "general"}
    made = Profile.fit(others, split.load_text(args.data), manifest=manifest, progress=output.note)
    if args.general is not None:
        made.save(args.general)
    return made


def kind(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Profiles for pictures of one kind."""
    x = metrics.unit_rows(np.load(args.data / "vectors" / f"{name}.npz")[KINDS[name]])
    x = x[np.random.default_rng(0).permutation(len(x))]
    text = split.load_text(args.data)
    found: dict[str, Any] = {}
    for base in (load(SHIPPED), general(args)):
        found[base.profile_id] = {}
        for n in SIZES[name]:
            own, cost = timed(
                lambda n=n, base=base: fit_own(x[FRESH:][:n], text, manifest=MANIFEST, base=base)
            )
            found[base.profile_id][str(n)] = (
                summary(own) | cost | judged(own.profile, base, x[:FRESH], x[FRESH:])
            )
    return found


def judged(profile: Profile, base: Profile, fresh: split.Vectors, others: split.Vectors) -> dict[str, Any]:
    """Figures on rows that had no part in the fit, report included."""
    mean = others.mean(axis=0, dtype=np.float64)
    codes = decoded(profile, fresh)
    rates = measure(fresh, codes, mean)
    beside = compare(codes, base, fresh, mean, rates)
    plain = {
        str(kept.nbytes): output.rounded(
            {
                "centred_cosine": kept.centred_cosine,
                "base": other.centred_cosine,
                "se": kept.centred_cosine_se,
            }
        )
        for kept, other in zip(rates, beside.base, strict=True)
    }
    return {
        "fresh": plain,
        "fresh_base_bytes": dict(zip(map(str, LENGTHS), map(short, beside.base_bytes), strict=True)),
        "fresh_saving": [short(beside.saving_low), short(beside.saving), short(beside.saving_high)],
    }


def size(n: int, args: argparse.Namespace) -> dict[str, Any]:
    """Seconds and memory of a file with many vectors."""
    every = [np.load(path) for path in sorted((args.data / "vectors").glob("*.npz"))]
    pool = np.concatenate([file[part] for file in every for part in file if part.endswith("_x")])
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.npy")
        if n < len(pool):
            np.save(path, pool[rng.permutation(len(pool))[:n]])
        else:
            save_blends(path, pool, n, rng)
        del pool, every
        text = Path(folder, "text.npy")
        np.save(text, split.load_text(args.data))
        before = peak()
        own, cost = timed(lambda: api.own_from_vectors([path], codec=api.load(SHIPPED), text=text))
        return summary(own) | cost | {"peak_mb_before": before, "file_mb": path.stat().st_size >> 20}


def save_blends(path: Path, pool: split.Vectors, n: int, rng: np.random.Generator) -> None:
    """Save blends (n, d) float16 of two vectors each: as varied as the pool, and none of them in it."""
    file = np.lib.format.open_memmap(path, "w+", np.float16, (n, pool.shape[1]))
    for start in range(0, n, 1_000):
        one, other = pool[rng.integers(len(pool), size=(2, min(1_000, n - start)))].astype(np.float32)
        weight = rng.uniform(0.6, 0.9, (len(one), 1))
        file[start : start + len(one)] = weight * one + (1 - weight) * other
    file.flush()


def summary(own: Own) -> dict[str, Any]:
    """What the report says in short."""
    told = own.report.to_json()
    kept = {key: told[key] for key in ("vectors", "used", "method", "modes", "saving", "verdict")}
    at = next(rate for rate in told["rates"] if rate["nbytes"] == AT)
    return kept | {"held_out": told["held_out"], f"base_bytes_at_{AT}": short(at["base_bytes"])}


def timed(call: Callable[[], Own]) -> tuple[Own, dict[str, float]]:
    """Seconds of wall and processor, and the peak of memory so far."""
    started, used = time.perf_counter(), time.process_time()
    own = call()
    return own, {
        "wall_s": round(time.perf_counter() - started, 1),
        "cpu_s": round(time.process_time() - used, 1),
        "peak_mb": peak(),
    }


def peak() -> int:
    """Peak of this process's memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def short(value: float | None) -> float | None:
    """Round what there is."""
    return None if value is None else round(value, 3)


if __name__ == "__main__":
    main()
