"""A training run: its options, its progress by processor time, its averaged weights, its checkpoint."""

from __future__ import annotations

import argparse
import copy
import time
from pathlib import Path

import numpy as np
import torch
from recipes.nano.data import read_pictures
from torch import nn

SAVE_EVERY, SHOW_EVERY = 60.0, 20
SHORT, LONG = 0.98, 0.99


def add_arguments(parser: argparse.ArgumentParser, *, minutes: float, batch: int) -> None:
    """Add the options that every training step has."""
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--nano-cache", type=Path, required=True, help="what recipes.nano left behind")
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)


class Run:
    """One network in training.

    Parameters
    ----------
    args : argparse.Namespace
        What `add_arguments` added.
    name : str
        Of the checkpoint in the cache.
    """

    def __init__(self, args: argparse.Namespace, name: str) -> None:
        torch.set_num_threads(args.threads)
        torch.manual_seed(args.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.rng = np.random.default_rng(args.seed)
        self.pictures = read_pictures(args.shared / "images")
        self._path = args.cache / f"{name}.pt"
        self._seconds = 60 * args.minutes
        self._seed = args.seed
        self._shown: dict[str, float] = {}
        self.spent, self.steps, self.count = 0.0, 0, 0

    @property
    def progress(self) -> float:
        """Share of the minutes of processor time that are used up; a busy machine only makes them longer."""
        return self.spent / self._seconds

    def adopt(self, network: nn.Module, *optimizers: torch.optim.Optimizer) -> None:
        """Train this network; go on from its checkpoint if there is one."""
        self.network, self.optimizers = network, optimizers
        self.averaged = copy.deepcopy(network).requires_grad_(False)
        if self._path.exists():
            stored = torch.load(self._path, map_location=self.device)
            network.load_state_dict(stored["model"])
            self.averaged.load_state_dict(stored["averaged"])
            for optimizer, one in zip(optimizers, stored["optimizers"], strict=True):
                optimizer.load_state_dict(one)
            self.spent, self.steps, self.count = stored["spent"], stored["steps"], stored["count"]
            self.rng = np.random.default_rng([self._seed, self.steps])
            torch.manual_seed(self._seed + self.steps)
        self._saved, self._tick = self.spent, time.process_time()

    def step(self, rate: float, count: int, **shown: float) -> None:
        """Move the weights at a share `rate` of each optimizer's own; show and save now and then."""
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group.setdefault("peak", group["lr"]) * rate
            optimizer.step()
            optimizer.zero_grad()
        self.steps, self.count = self.steps + 1, self.count + count
        self._average()
        now = time.process_time()
        self.spent, self._tick = self.spent + now - self._tick, now
        for name, value in shown.items():
            self._shown[name] = SHORT * self._shown.get(name, value) + (1 - SHORT) * value
        if self.steps % SHOW_EVERY == 0:
            self._show()
        if self.spent - self._saved > SAVE_EVERY:
            self.save()

    def _average(self) -> None:
        keep = min(LONG, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for mean, new in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(new.to(mean.dtype), 1 - keep)

    def _show(self) -> None:
        losses = " ".join(f"{k} {v:.4f}" for k, v in self._shown.items())
        print(f"{self.progress:6.1%} pictures {self.count} in {self.spent:.0f} s  {losses}", flush=True)

    def save(self) -> None:
        """Write a checkpoint that a later run goes on from."""
        state = {"model": self.network.state_dict(), "averaged": self.averaged.state_dict()}
        state["optimizers"] = [o.state_dict() for o in self.optimizers]
        state |= {"spent": self.spent, "steps": self.steps, "count": self.count}
        torch.save(state, self._path.with_suffix(".tmp"))
        self._path.with_suffix(".tmp").rename(self._path)
        self._saved = self.spent


def averaged(cache: Path, name: str, network: nn.Module) -> nn.Module:
    """Return a network with the averaged weights of its checkpoint."""
    network.load_state_dict(torch.load(cache / f"{name}.pt", map_location="cpu")["averaged"])
    return network.eval()
