"""Train every network of `grid` that is not in the cache yet: `python -m recipes.pqvae --cache CACHE`.

    vectors ──► network ──► CACHE/NAME.safetensors

Less than a minute of one core each; `OMP_NUM_THREADS=1` for the numbers of the benchmark.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from sememe.disk import writing
from sememe.evaluate.coder import Training
from sememe.evaluate.coders.pqvae import PqVaeTrained

from . import grid

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def main() -> None:
    """Train what is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with vectors/")
    parser.add_argument("--cache", type=Path, required=True, help="where networks are kept")
    parser.add_argument("names", nargs="*", help="networks to train; all of them if none is named")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    for network in grid.networks():
        path = args.cache / f"{network.name}.safetensors"
        if path.exists() or (args.names and network.name not in args.names):
            continue
        start = time.process_time()
        training = Training(grid.vectors(args.data, network.trained_on))
        fitted = PqVaeTrained(training, network.settings).with_settings(network.settings)
        with writing(path) as file:
            file.write(fitted.to_bytes())
        print(f"{network.name}: {time.process_time() - start:.0f} s of one core", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
