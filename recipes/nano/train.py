"""Train the image student: one process per core that averages its weights with the other every few steps.

Single threads that average now and then stand a busy machine far better than one process on two threads does.
The schedule follows the clock, so that ``--minutes`` holds beside any load; checkpoints keep the time spent.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from . import data
from .batches import Batches
from .losses import Losses
from .muon import Muon
from .space import DIM
from .student import Hints, Student, parameters
from .targets import Mix

MUON_RATE, ADAM_RATE, DECAY = 0.02, 2e-3, 0.05
AVERAGE_EVERY, SAVE_EVERY = 8, 120
DEV = 600
FIRST_SCALE = 16.0


def rate_at(progress: float) -> float:
    """Return the share of the peak learning rate: a short warm-up, then half a cosine."""
    return min(1.0, progress / 0.03) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


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


def optimizers(model: torch.nn.ModuleDict) -> list[torch.optim.Optimizer]:
    """Return Muon for the student's convolutions and Adam for everything else."""
    convolutions = [p for p in model["student"].parameters() if p.ndim == 4]
    chosen = {id(p) for p in convolutions}
    others = [p for p in model.parameters() if id(p) not in chosen]
    adam = torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    return [Muon(convolutions, rate=MUON_RATE, decay=DECAY), adam]


def checkpoint(cache: Path, name: str, rank: int = 0) -> Path:
    """Return where a run keeps its state."""
    return cache / f"student-{name}.rank{rank}.pt"


class Run:
    """One process of a training run."""

    def __init__(self, rank: int, world: int, args: argparse.Namespace) -> None:
        self.rank, self.world, self.args = rank, world, args
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(args.seed)
        pictures = data.read_pictures(args.shared / "images")
        rows = np.flatnonzero(~np.isin(pictures.source, data.left_out(args.without)))
        dev = np.random.default_rng(0).permutation(rows)[:DEV]
        mix = Mix(args.without, args.cache, args.shared)
        rows = np.setdiff1d(rows, dev)
        seed = args.seed * 100 + rank
        self.batches = Batches(args.cache, args.views, mix, rows, drawn=args.drawn, seed=seed)
        self.losses = Losses(mix, args.shared / "teachers", self.device)
        scale = torch.nn.ParameterList([torch.tensor(math.log(FIRST_SCALE))])
        modules = {"student": Student(DIM), "hints": Hints(), "scale": scale}
        self.model = torch.nn.ModuleDict(modules).to(self.device, memory_format=torch.channels_last)
        self.optimizers = optimizers(self.model)
        self.spent, self.step, self.seen = 0.0, 0, 0
        self.before = {"seen": 0, "spent": 0.0}  # in the runs that this one goes on from
        self.shown: dict[str, float] = {}
        if self._path().exists():
            self._resume()
        elif args.start:
            stored = torch.load(checkpoint(args.cache, args.start), map_location=self.device)
            self.model.load_state_dict(stored["model"])
            self.before = {k: stored[k] + stored.get("before", {}).get(k, 0) for k in self.before}

    def _path(self) -> Path:
        return checkpoint(self.args.cache, self.args.name, self.rank)

    def _resume(self) -> None:
        stored = torch.load(self._path(), map_location=self.device)
        self.model.load_state_dict(stored["model"])
        for optimizer, state in zip(self.optimizers, stored["optimizers"], strict=True):
            optimizer.load_state_dict(state)
        self.spent, self.step, self.seen = stored["spent"], stored["step"], stored["seen"]
        self.before = stored.get("before", self.before)
        self.batches.rng = np.random.default_rng([self.args.seed, self.rank, self.step])

    def save(self) -> None:
        """Write a checkpoint that a later run goes on from."""
        state = {"model": self.model.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers]}
        state |= {"spent": self.spent, "step": self.step, "seen": self.seen}
        state["before"] = self.before
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
        batch = self.batches.draw(self.args.batch)
        parts = self.losses(self.model, {k: v.to(self.device) for k, v in batch.items()})
        sum(parts.values()).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        for optimizer, peak in zip(self.optimizers, (MUON_RATE, ADAM_RATE), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * self.args.rate * rate_at(progress)
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        self.seen += self.args.batch * self.world
        for k, v in parts.items():
            self.shown[k] = 0.98 * self.shown.get(k, v.item()) + 0.02 * v.item()

    def _report(self, progress: float) -> None:
        losses = " ".join(f"{k} {v:.3f}" for k, v in self.shown.items())
        print(
            f"{progress:6.1%} pictures {self.seen} in {self.spent:.0f} s"
            f" ({self.seen / self.spent:.0f}/s)  {losses}",
            flush=True,
        )


def _process(rank: int, world: int, meeting: str, args: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    if world > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    run = Run(rank, world, args)
    if rank == 0:
        print(f"{parameters(run.model['student'])} parameters, {run.batches.count} pictures", flush=True)
    run.train()
    if world > 1:
        dist.destroy_process_group()


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--views", type=int, nargs="+", default=list(data.VIEWS))
    parser.add_argument(
        "--without", nargs="*", default=["a"], help="sources, or parts of data.PARTS, to leave out"
    )
    parser.add_argument("--minutes", type=float, default=74)
    parser.add_argument("--name", default="final")
    parser.add_argument("--start", help="run whose network to begin with, instead of a random one")
    parser.add_argument(
        "--rate", type=float, default=1.0, help="peak learning rates, as a share of the usual"
    )
    parser.add_argument(
        "--drawn", type=float, default=0.0, help="share of the pictures redrawn in each style"
    )
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    (args.cache / f"student-{args.name}.json").write_text(json.dumps(vars(args), default=str, indent=1))
    if torch.cuda.is_available():
        _process(0, 1, "", args)
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = str(Path(folder).resolve() / "meeting")
        mp.spawn(_process, (args.processes, meeting, args), nprocs=args.processes)


if __name__ == "__main__":
    main()
