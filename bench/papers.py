"""The papers' systems on our split: their rates, their ablations, their robustness, their collections.

The networks of the PQ-VAE are those that `python -m recipes.pqvae --cache CACHE` trained; one that is not
there is left out. A section that is run again replaces its former results in the output.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from recipes.pqvae import grid

import figures
import output
import paper_collections
import paper_robustness
import split
from sememe.evaluate.coder import Coder, Fitted, Training
from sememe.evaluate.coders.bottleneck import Bottleneck
from sememe.evaluate.coders.ours import SememeFitted
from sememe.evaluate.coders.pqvae import PqVaeFitted
from sememe.evaluate.coders.uniform import Uniform
from sememe.profile import Profile

SCALAR_BYTES = (4, 8, 16, 32, 64, 96, 128, 192)


class Study:
    """What all sections share.

    Parameters
    ----------
    args : argparse.Namespace
        Where data and networks are.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.data: Path = args.data
        self.cache: Path = args.cache
        self.images: Path = args.images

    @cached_property
    def parts(self) -> split.Split:
        """The main split."""
        return split.load_split(self.data)

    @cached_property
    def judge(self) -> figures.Judge:
        """Of the main split."""
        return figures.Judge(self.parts, self.data)

    def row(self, fitted: Fitted) -> dict[str, float]:
        """Encode and decode the test vectors, and judge them."""
        codes = fitted.encode(self.parts.test.x)
        row = self.judge.figures(fitted.decode(codes))
        mean = sum(map(len, codes)) / len(codes)
        return {"bytes_mean": round(mean, 3), "table_bytes": fitted.table_bytes, **row}

    def network(self, network: grid.Network, *, packed: bool = False) -> PqVaeFitted | None:
        """Read a trained network, if it is there."""
        path = self.cache / f"{network.name}.safetensors"
        if not path.exists():
            output.note(f"{network.name} is not trained: left out")
            return None
        return PqVaeFitted.from_bytes(path.read_bytes(), packed=packed)

    def network_rows(
        self, networks: dict[str, grid.Network], *, packed: bool = False
    ) -> dict[str, dict[str, float]]:
        """Judge the networks that are there."""
        found = {key: self.network(network, packed=packed) for key, network in networks.items()}
        return {key: self.row(fitted) for key, fitted in found.items() if fitted is not None}


def rates(study: Study) -> dict[str, Any]:
    """Every coder over its rates."""
    uncompressed = study.judge.figures(study.parts.test.x)
    byte_networks = {str(n): grid.network("all", n, 256) for n in grid.BYTES}
    found = {
        "uniform": _scalar_rows(study, Uniform()),
        "bottleneck": _scalar_rows(study, Bottleneck()),
        "pqvae": study.network_rows(byte_networks),
        "pqvae-fixed": study.network_rows(byte_networks, packed=True),
    }
    return {"uncompressed": uncompressed, **found}


def lines(study: Study) -> dict[str, Any]:
    """Sub-vectors against codewords at equal rates, and one codebook against many."""
    every = {}
    for bits, shapes in grid.LINES.items():
        shared = {f"{m}x{k}": grid.network("all", m, k) for m, k in shapes}
        own = {f"{m}x{k}": grid.network("all", m, k, shared=False) for m, k in shapes if (m, k) in grid.OWN}
        every[str(bits)] = {"shared": study.network_rows(shared), "own": study.network_rows(own)}
    return every


def generalisation(study: Study) -> dict[str, Any]:
    """Trained on one data set alone, tested on the others, beside our code trained on the same vectors."""
    x = grid.vectors(study.data, "imagenet")
    networks = {str(n): grid.network("imagenet", n, 256) for n in grid.BYTES}
    networks |= {"200x4": grid.network("imagenet", 200, 4)}
    manifest = {"profile_id": "bench", "space_id": "openai-clip-vit-b-32"}
    profile = Profile.fit(x, split.load_text(study.data), manifest=manifest)
    ours = {str(n): study.row(SememeFitted(profile, n)) for n in (*grid.BYTES, 50)}
    return {
        "trained_on": {"imagenet": len(x)},
        "tested_on": list(study.parts.names),
        "pqvae": study.network_rows(networks),
        "pqvae, trained on all": study.network_rows(
            {
                "200x4": grid.network("all", 200, 4),
                **{str(n): grid.network("all", n, 256) for n in grid.BYTES},
            }
        ),
        "sememe": ours,
    }


def robustness(study: Study) -> dict[str, Any]:
    """Rounding and noise, in vectors and in pixels."""
    return paper_robustness.study(study.parts, study.judge, study.images)


def collections(study: Study) -> dict[str, Any]:
    """Order-free sets, dictionaries and arithmetic."""
    return paper_collections.study(study.parts, study.judge)


SECTIONS: dict[str, Callable[[Study], dict[str, Any]]] = {
    "rates": rates,
    "grid": lines,
    "generalisation": generalisation,
    "robustness": robustness,
    "collections": collections,
}


def main() -> None:
    """Run the sections asked for, and keep the others as they were."""
    parser = output.parser(__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="where recipes.pqvae keeps its networks")
    parser.add_argument(
        "--images", type=Path, help="folder of train-*.parquet; default: images/ beside vectors/"
    )
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, between commas")
    args = parser.parse_args()
    args.images = args.images or args.data / "images"
    study, kept = Study(args), _kept(args.output)
    for name in args.only.split(","):
        output.note(f"section {name}")
        kept[name] = SECTIONS[name](study)
    output.emit({name: kept[name] for name in SECTIONS if name in kept}, args.output)


def _scalar_rows(study: Study, coder: Coder) -> dict[str, dict[str, float]]:
    trained = coder.train(Training(study.parts.fit.x))
    rows = {}
    for nbytes in SCALAR_BYTES:
        output.note(f"{coder.name} at {nbytes} bytes")
        rows[str(nbytes)] = study.row(trained.at(nbytes))
    return rows


def _kept(path: Path | None) -> dict[str, Any]:
    if path is None or not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
