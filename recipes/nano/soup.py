"""Average the weights of two training runs, of which one went on from the other.

A network that went on with drawings reads drawings and has lost a little on photographs; the mean of the two
keeps most of both. Source: M. Wortsman et al., "Robust fine-tuning of zero-shot models" (2022), section 3.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from .train import checkpoint


def mean_of(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the mean of two states; what is not a float is taken from the second."""
    return {
        name: (first[name] + value) / 2 if value.is_floating_point() else value
        for name, value in second.items()
    }


def main() -> None:
    """Write a checkpoint with the mean weights; how long was trained is said by the second run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--of", nargs=2, required=True, metavar=("FIRST", "SECOND"), help="names of runs")
    parser.add_argument("--name", required=True, help="name of the mean")
    args = parser.parse_args()
    first, second = (torch.load(checkpoint(args.cache, name), map_location="cpu") for name in args.of)
    torch.save(
        second | {"model": mean_of(first["model"], second["model"])}, checkpoint(args.cache, args.name)
    )


if __name__ == "__main__":
    main()
