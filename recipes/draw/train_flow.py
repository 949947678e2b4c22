"""Train the flow: vectors of codes of every length, and often a colour layout, to the picture's tokens."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from recipes.nano.muon import Muon
from recipes.nano.train import rate_at
from torch import Tensor
from torch.nn import functional

from sememe.bitstream import colours as layouts

from . import data, state
from .flow import Flow
from .latents import GRID, Patches

MUON_RATE, ADAM_RATE, DECAY = 0.02, 1.5e-3, 0.01
TOLD, TOLD_WEIGHT = 64, 0.5
UNTOLD, COLOURLESS = 0.1, 0.5
"""Share of the pictures drawn from nothing, for guidance; of the others, share of those without a layout."""


class Examples:
    """All that a batch is made of, in memory; mirrored pictures have tokens of their own.

    Attributes
    ----------
    tokens : (2, n, 16, 64) float16
        As they are, and mirrored.
    colours : (2, n, 22) float32
        Steps of the colour layout by their spread.
    vectors : (lengths, n, 256) float16
        Decoded, centred, by their spread.
    told : (2, n, 16, 64) float16
        The teacher's inner map.
    """

    def __init__(self, args: argparse.Namespace, rows: np.ndarray) -> None:
        squares = data.squares(args.shared / "images", args.cache)
        patches = Patches.kept(args.cache, squares, rows)
        parts = np.array_split(rows, 64)
        both = [[squares[part], squares[part][:, :, ::-1]] for part in parts]
        self.tokens = np.stack(
            [np.concatenate([patches.tokens(b[m]).astype(np.float16) for b in both]) for m in (0, 1)]
        )
        steps = [np.concatenate([layouts.measure(b[m]) for b in both]) for m in (0, 1)]
        x = data.vectors(args.shared / "images", args.cache, args.nano_cache)
        decoded = data.decoded(x, args.cache)[:, rows].astype(np.float32)
        self.inputs = {
            "colour_scale": np.std(steps[0], 0).astype(np.float32),
            "vector_mean": decoded.mean((0, 1)),
            "vector_scale": decoded.std((0, 1)).mean(keepdims=True),
        }
        self.colours = np.stack(steps) / self.inputs["colour_scale"]
        self.vectors = (decoded - self.inputs["vector_mean"]) / self.inputs["vector_scale"]
        self.told = told(args.nano_cache / "view0.m7.npy", rows)

    def pick(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Pick places in the rows, and whether each picture is mirrored."""
        return rng.integers(self.tokens.shape[1], size=count), rng.integers(2, size=count)

    def batch(self, at: np.ndarray, mirrored: np.ndarray, rng: np.random.Generator) -> dict[str, Tensor]:
        """Return all that is known of the pictures picked, some of it hidden."""
        length = rng.integers(len(self.vectors), size=len(at))
        untold = rng.random(len(at)) < UNTOLD
        colourless = untold | (rng.random(len(at)) < COLOURLESS)
        batch = {
            "tokens": self.tokens[mirrored, at],
            "told": self.told[mirrored, at],
            "vector": hideable(self.vectors[length, at], untold),
            "colours": hideable(self.colours[mirrored, at], colourless),
        }
        return {name: torch.from_numpy(array.astype(np.float32)) for name, array in batch.items()}


def hideable(rows: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Append a 1 to each row, and make the hidden ones all zero."""
    return np.concatenate([rows, np.ones((len(rows), 1))], 1) * ~hidden[:, None]


def told(path: Path, rows: np.ndarray) -> np.ndarray:
    """Return the teacher's 7 x 7 maps at 4 x 4 places, in their main directions: (2, n, 16, TOLD) float16."""
    maps = np.load(path, mmap_mode="r")
    pooled = [
        functional.adaptive_avg_pool2d(
            torch.from_numpy(maps[part].astype(np.float32)).permute(0, 3, 1, 2), GRID
        )
        .permute(0, 2, 3, 1)
        .numpy()
        for part in np.array_split(rows, 64)
    ]
    every = np.concatenate(pooled)
    flat = every.reshape(-1, every.shape[-1])
    sample = flat[:: max(1, len(flat) // 50_000)]
    values, vectors = np.linalg.eigh(np.cov(sample, rowvar=False))
    directions = vectors[:, ::-1][:, :TOLD] / np.sqrt(values[::-1][:TOLD]) ** 0.5
    plain = ((every - sample.mean(0)) @ directions.astype(np.float32)).astype(np.float16)
    return np.stack([plain, plain[:, :, ::-1]]).reshape(2, len(rows), GRID * GRID, TOLD)


def losses(flow: Flow, batch: dict[str, Tensor], kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return the mean squared error of velocities, and one less the cosine of what is told."""
    tokens, noise = batch["tokens"], torch.randn_like(batch["tokens"])
    t = torch.sigmoid(torch.randn(len(tokens), device=tokens.device))
    x = torch.lerp(noise, tokens, t[:, None, None])
    steered = (batch[name].to(kind) for name in ("vector", "colours"))
    velocity, said = flow(x.to(kind), t, *steered)
    agreement = functional.cosine_similarity(said.float(), batch["told"], dim=-1)
    return (velocity.float() - (tokens - noise)).pow(2).mean(), 1 - agreement.mean()


def optimizers(flow: Flow) -> list[torch.optim.Optimizer]:
    """Return Muon for the blocks' matrices and Adam for everything else."""
    matrices = [p for p in flow.blocks.parameters() if p.ndim == 2 and len(p) > 3]
    chosen = {id(p) for p in matrices}
    others = [p for p in flow.parameters() if id(p) not in chosen]
    adam = torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0)
    return [Muon(matrices, rate=MUON_RATE, decay=DECAY), adam]


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    state.add_arguments(parser, minutes=33.5, batch=256)
    args = parser.parse_args()
    run = state.Run(args, "flow")
    examples = Examples(args, data.split(run.pictures)["train"])
    np.savez(args.cache / "inputs.npz", **examples.inputs)
    flow = Flow(told=TOLD).to(run.device)
    run.adopt(flow, *optimizers(flow))
    while run.progress < 1:
        batch = {
            k: v.to(run.device)
            for k, v in examples.batch(*examples.pick(run.rng, args.batch), run.rng).items()
        }
        velocity, said = losses(flow, batch, torch.bfloat16)
        (velocity + TOLD_WEIGHT * said).backward()
        run.step(rate_at(run.progress), args.batch, velocity=velocity.item(), told=said.item())
    run.save()


if __name__ == "__main__":
    main()
