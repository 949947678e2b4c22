"""Train the image student: one process per core that averages its weights with the other every few steps.

Single threads that average now and then stand a busy machine far better than one process on two threads does
(measured beside other work, at 96 px: 84 pictures/s on one thread, 22 on two). Pictures grow during training.
The schedule follows the clock, so that ``--minutes`` holds beside any load; checkpoints keep the time spent.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from . import data
from .batches import Batches, gather_clip, mix_of_view
from .losses import Losses
from .space import DIM, load_or_fit
from .student import Student, parameters
from .targets import Mix

SIDES = ((0.68, 64), (1.01, 96))
PEAK_RATE, DECAY = 2e-3, 0.05
AVERAGE_EVERY, SAVE_EVERY = 8, 120
DEV = 600
FIRST_SCALE = 16.0


def side_at(progress: float) -> int:
    """Return the picture side in use at a fraction of training."""
    return next(side for end, side in SIDES if progress < end)


def rate_at(progress: float) -> float:
    """Return the learning rate: a short warm-up, then half a cosine."""
    return PEAK_RATE * min(1.0, progress / 0.03) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def average(model: torch.nn.Module, world: int) -> None:
    """Average weights and running statistics over the processes."""
    tensors = [t for t in model.state_dict().values() if t.is_floating_point()]
    flat = torch.cat([t.detach().reshape(-1) for t in tensors])
    dist.all_reduce(flat)
    flat /= world
    at = 0
    for t in tensors:
        t.copy_(flat[at : at + t.numel()].view_as(t))
        at += t.numel()


def agreed(value: float, world: int) -> float:
    """Return the first process's value in all processes."""
    if world == 1:
        return value
    box = torch.tensor([value], dtype=torch.float64)
    dist.broadcast(box, 0)
    return float(box)


class Run:
    """One process of a training run."""

    def __init__(self, rank: int, world: int, args: argparse.Namespace) -> None:
        self.rank, self.world, self.args = rank, world, args
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(args.seed)
        pictures = data.read_pictures(args.shared / "images")
        space = load_or_fit(args.cache, pictures, args.shared)
        mix = Mix(args.cache, pictures, space, args.shared / "teachers")
        seen = np.flatnonzero(~np.isin(pictures.source, data.LEFT_OUT))
        dev = np.random.default_rng(0).permutation(seen)[:DEV]
        self.batches = Batches(args.cache, args.views, mix, seed=args.seed * 100 + rank)
        self.batches.set_rows(np.setdiff1d(seen, dev))
        self.losses = Losses(mix, args.shared / "teachers", self.device)
        scales = torch.nn.ParameterList([torch.full((2,), math.log(FIRST_SCALE))])
        modules = {"student": Student(DIM), "clip": torch.nn.Linear(768, 512), "scales": scales}
        self.model = torch.nn.ModuleDict(modules).to(self.device, memory_format=torch.channels_last)
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98), fused=True)
        self.spent, self.step, self.seen = 0.0, 0, 0
        self.shown: dict[str, float] = {}
        self._resume()

    def _path(self) -> Path:
        return self.args.cache / f"student-{self.args.name}.rank{self.rank}.pt"

    def _resume(self) -> None:
        if not self._path().exists():
            return
        stored = torch.load(self._path(), map_location=self.device)
        self.model.load_state_dict(stored["model"])
        self.optimizer.load_state_dict(stored["optimizer"])
        self.spent, self.step, self.seen = stored["spent"], stored["step"], stored["seen"]
        self.batches.rng = np.random.default_rng([self.args.seed, self.rank, self.step])

    def save(self) -> None:
        """Write a checkpoint that a later run goes on from."""
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        state |= {"spent": self.spent, "step": self.step, "seen": self.seen}
        torch.save(state, self._path().with_suffix(".tmp"))
        self._path().with_suffix(".tmp").rename(self._path())

    def train(self) -> None:
        """Train until the minutes are used up."""
        saved, tick = self.spent, time.monotonic()
        self.model.train()
        while (progress := agreed(self.spent / (60 * self.args.minutes), self.world)) < 1:
            for _ in range(AVERAGE_EVERY):
                self._learn(progress)
            if self.world > 1:
                average(self.model, self.world)
            self.spent, tick = self.spent + time.monotonic() - tick, time.monotonic()
            if self.rank == 0 and self.step % (AVERAGE_EVERY * 5) == 0:
                self._report(progress)
            if agreed(self.spent - saved, self.world) > SAVE_EVERY:
                self.save()
                saved = self.spent
        self.save()

    def _learn(self, progress: float) -> None:
        """Take one step."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(progress)
        batch = self.batches.draw(self.args.batch, side_at(progress))
        parts = self.losses(self.model, {k: v.to(self.device) for k, v in batch.items()})
        sum(parts.values()).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.seen += self.args.batch * self.world
        for k, v in parts.items():
            self.shown[k] = 0.98 * self.shown.get(k, v.item()) + 0.02 * v.item()

    def _report(self, progress: float) -> None:
        losses = " ".join(f"{k} {v:.3f}" for k, v in self.shown.items())
        print(
            f"{progress:6.1%} side {side_at(progress)} pictures {self.seen} in {self.spent:.0f} s"
            f" ({self.seen / self.spent:.0f}/s)  {losses}",
            flush=True,
        )


def _process(rank: int, world: int, args: argparse.Namespace) -> None:
    torch.set_num_threads(1 if world > 1 else args.threads)
    if world > 1:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(args.port)}
        dist.init_process_group("gloo", rank=rank, world_size=world)
    run = Run(rank, world, args)
    if rank == 0:
        print(f"{parameters(run.model['student'])} parameters, {len(run.batches.rows)} pictures", flush=True)
    run.train()
    if world > 1:
        dist.destroy_process_group()


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--views", type=int, nargs="+", default=[0, 1, 2, 3])
    parser.add_argument("--minutes", type=float, default=74)
    parser.add_argument("--name", default="final")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--port", type=int, default=29511)
    args = parser.parse_args()
    pictures = data.read_pictures(args.shared / "images")
    if not (args.cache / "clip.npz").exists():
        gather_clip(args.cache, pictures, args.shared / "vectors")
    space = load_or_fit(args.cache, pictures, args.shared)
    mix = Mix(args.cache, pictures, space, args.shared / "teachers")
    for view in args.views:
        mix_of_view(args.cache, view, mix)
    (args.cache / f"student-{args.name}.json").write_text(json.dumps(vars(args), default=str, indent=1))
    if torch.cuda.is_available():
        _process(0, 1, args)
    else:
        mp.spawn(_process, (2, args), nprocs=2)


if __name__ == "__main__":
    main()
