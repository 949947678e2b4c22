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
from torch import Tensor
from torch.nn import functional

from . import data
from .space import DIM, load_or_fit
from .student import Student, parameters
from .targets import Mix, classifier

SIDES = ((0.62, 64), (0.84, 80), (1.01, 96))
PEAK_RATE, DECAY = 2e-3, 0.05
AVERAGE_EVERY = 8
FIRST_SCALE = 16.0


def side_at(progress: float) -> int:
    """Return the picture side in use at a fraction of training."""
    return next(side for end, side in SIDES if progress < end)


def rate_at(progress: float) -> float:
    """Return the learning rate: a short warm-up, then half a cosine."""
    return PEAK_RATE * min(1.0, progress / 0.03) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


class Batches:
    """Random batches over all views, cut and coloured a little differently each time."""

    def __init__(self, cache: Path, views: list[int], mix: Mix, *, dev: np.ndarray, seed: int) -> None:
        self.pixels = [np.load(cache / f"view{v}.pixels.npy", mmap_mode="r") for v in views]
        self.logits = [np.load(cache / f"view{v}.tf2.logits.npy", mmap_mode="r") for v in views]
        self.features = [np.load(cache / f"view{v}.tf2.pool.npy", mmap_mode="r") for v in views]
        self.mix, self.rng, self.dev = mix, np.random.default_rng(seed), dev
        self.places = [mix_of_view(cache, v, mix) for v in views]
        self.clip_row, self.clip = clip_vectors(cache)
        self.queue: list[tuple[int, int]] = []
        self.rows = np.empty(0, int)

    def set_rows(self, rows: np.ndarray) -> None:
        """Choose which pictures to draw from."""
        self.rows = rows

    def _next(self, count: int) -> list[tuple[int, int]]:
        while len(self.queue) < count:
            order = self.rng.permutation(self.rows)
            views = self.rng.integers(len(self.pixels), size=len(order))
            self.queue += list(zip(views.tolist(), order.tolist(), strict=True))
        taken, self.queue = self.queue[:count], self.queue[count:]
        return taken

    def draw(self, count: int, side: int) -> dict[str, Tensor]:
        """Draw one batch at a picture side."""
        items = self._next(count)
        size = int(self.rng.integers(92, data.STUDENT_SIDE + 1))
        crops = np.empty((count, size, size, 3), np.uint8)
        for i, (v, r) in enumerate(items):
            y, x = self.rng.integers(0, data.STUDENT_SIDE - size + 1, size=2)
            crop = self.pixels[v][r, y : y + size, x : x + size]
            crops[i] = crop[:, ::-1] if self.rng.random() < 0.5 else crop
        logits = np.stack([self.logits[v][r] for v, r in items])
        features = np.stack([self.features[v][r] for v, r in items]).astype(np.float32)
        rows = np.array([r for _, r in items])
        return {
            "pixels": self._coloured(scale(torch.from_numpy(crops), side)),
            "logits": torch.from_numpy(logits).float(),
            "features": torch.from_numpy((features - self.mix.mean) / self.mix.spread),
            "mix": torch.from_numpy(np.stack([self.places[v][r] for v, r in items])).float(),
            "concept": torch.from_numpy(self.mix.concept[rows]),
            "clip": torch.from_numpy(self.clip[self.clip_row[rows]]),
            "has_clip": torch.from_numpy(self.clip_row[rows] >= 0),
        }

    def _coloured(self, pixels: Tensor) -> Tensor:
        """Change gain per channel, contrast and brightness a little; a few pictures lose their colour."""
        n = len(pixels)
        gain = torch.from_numpy(
            self.rng.uniform(0.85, 1.15, (n, 1, 1, 1)) * self.rng.uniform(0.93, 1.07, (n, 3, 1, 1))
        )
        shift = torch.from_numpy(self.rng.uniform(-0.15, 0.15, (n, 1, 1, 1)))
        for i in np.flatnonzero(self.rng.random(n) < 0.05):
            pixels[i] = pixels[i].mean(0)
        return pixels.mul_(gain.float()).add_(shift.float())


def mix_of_view(cache: Path, view: int, mix: Mix) -> np.ndarray:
    """Return the teacher-mix vectors (n, 256) float16 of one view, from the cache where they are."""
    path = cache / f"view{view}.mix.npy"
    if not path.exists():
        pair = [np.load(cache / f"view{view}.tf2.{k}.npy", mmap_mode="r") for k in ("logits", "pool")]
        cuts = range(0, len(pair[0]), 2048)
        parts = [mix(*(np.asarray(t[i : i + 2048]) for t in pair)).astype(np.float16) for i in cuts]
        np.save(path, np.concatenate(parts))
    return np.load(path, mmap_mode="r")


def scale(pixels: Tensor, side: int) -> Tensor:
    """Scale (n, h, w, 3) uint8 to (n, 3, side, side) in -1..1, channels last."""
    planes = pixels.permute(0, 3, 1, 2)
    if planes.shape[-1] != side:
        planes = functional.interpolate(planes, (side, side), mode="bilinear", antialias=True)
    return planes.to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1)


def clip_vectors(cache: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return each picture's row (-1: none) in the matrix of real CLIP vectors."""
    stored = np.load(cache / "clip.npz")
    return stored["row"], stored["vectors"]


def gather_clip(cache: Path, pictures: data.Pictures, vectors: Path) -> None:
    """Collect the real CLIP vectors of the pictures that have one."""
    sets = {
        "caltech101_val": ("caltech101", "val_x"),
        "caltech101_test": ("caltech101", "test_x"),
        "cifar10_500": ("cifar10_500", "test_x"),
    }
    row, rows = np.full(len(pictures), -1), []
    for name, (file, key) in sets.items():
        table = np.load(vectors / f"{file}.npz")[key].astype(np.float32)
        for i in np.flatnonzero(pictures.clip_set == name):
            row[i] = len(rows)
            rows.append(table[pictures.clip_row[i]])
    found = np.stack(rows)
    found = found - found.mean(0)
    np.savez(cache / "clip.npz", row=row, vectors=found / np.linalg.norm(found, axis=1, keepdims=True))


class Losses:
    """The five signals and their weights."""

    def __init__(self, mix: Mix, teachers: Path, device: torch.device) -> None:
        self.classes = torch.from_numpy(mix.classes).float().to(device)
        self.names = torch.from_numpy(mix.names).float().to(device)
        weights, bias = classifier(teachers)
        # the student predicts standardised features; fold that into the teacher's own last layer
        self.weights = torch.from_numpy(weights * mix.spread).float().to(device)
        self.bias = torch.from_numpy(bias + weights @ mix.mean).float().to(device)

    def __call__(self, model: torch.nn.ModuleDict, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return each weighted loss of a batch."""
        student = model["student"]
        with torch.autocast(batch["pixels"].device.type, torch.bfloat16):
            pooled = student.pooled(batch["pixels"])
        pooled = pooled.float()
        z, feature = functional.normalize(student.joint(pooled), dim=1), student.feature(pooled)
        p = batch["logits"].softmax(1)
        shown = batch["logits"][:, 1:].softmax(1)
        named = batch["concept"] >= 0
        scales = model["scales"][0].clamp(max=4.0).exp()
        out = {
            "class": soft(z @ self.classes.T * scales[0], shown),
            "mix": 8 * (1 - (z * batch["mix"]).sum(1)).mean(),
            "head": soft(feature @ self.weights.T + self.bias, p),
            "feature": functional.mse_loss(feature, batch["features"]),
            "name": functional.cross_entropy(
                z[named] @ self.names.T * scales[1], batch["concept"][named], label_smoothing=0.05
            ),
        }
        has = batch["has_clip"]
        if has.any():
            clip = functional.normalize(model["clip"](pooled[has]), dim=1)
            out["clip"] = 2 * has.float().mean() * (1 - (clip * batch["clip"][has]).sum(1)).mean()
        return out


def soft(logits: Tensor, target: Tensor) -> Tensor:
    """Return the divergence of a prediction from a teacher's distribution."""
    return functional.kl_div(logits.log_softmax(1), target, reduction="batchmean")


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
        mix = Mix(
            args.cache, pictures, load_or_fit(args.cache, pictures, args.shared), args.shared / "teachers"
        )
        seen = np.flatnonzero(~np.isin(pictures.source, data.LEFT_OUT))
        self.dev = np.random.default_rng(0).permutation(seen)[:600]
        self.batches = Batches(args.cache, args.views, mix, dev=self.dev, seed=args.seed * 100 + rank)
        self.batches.set_rows(np.setdiff1d(seen, self.dev))
        self.losses = Losses(mix, args.shared / "teachers", self.device)
        scales = torch.nn.ParameterList([torch.full((2,), math.log(FIRST_SCALE))])
        modules = {"student": Student(DIM), "clip": torch.nn.Linear(768, 512), "scales": scales}
        self.model = torch.nn.ModuleDict(modules).to(self.device, memory_format=torch.channels_last)
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98), fused=True)
        self.spent, self.step, self.seen = 0.0, 0, 0
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
        budget, saved, tick, shown = self.args.minutes * 60, self.spent, time.monotonic(), {}
        self.model.train()
        progress = agreed(self.spent / budget, self.world)
        while progress < 1:
            batch = self.batches.draw(self.args.batch, side_at(progress))
            for group in self.optimizer.param_groups:
                group["lr"] = rate_at(progress)
            parts = self.losses(self.model, {k: v.to(self.device) for k, v in batch.items()})
            sum(parts.values()).backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.step += 1
            self.seen += self.args.batch * self.world
            for k, v in parts.items():
                shown[k] = 0.98 * shown.get(k, v.item()) + 0.02 * v.item()
            now = time.monotonic()
            self.spent, tick = self.spent + now - tick, now
            if self.step % AVERAGE_EVERY == 0:
                if self.world > 1:
                    average(self.model, self.world)
                progress = agreed(self.spent / budget, self.world)
                if self.rank == 0 and self.step % (AVERAGE_EVERY * 5) == 0:
                    self._report(progress, shown)
                if agreed(self.spent - saved, self.world) > 120:
                    self.save()
                    saved = self.spent
        self.save()

    def _report(self, progress: float, shown: dict[str, float]) -> None:
        losses = " ".join(f"{k} {v:.3f}" for k, v in shown.items())
        print(
            f"{progress:6.1%} side {side_at(progress)} pictures {self.seen} in {self.spent:.0f} s"
            f" ({self.seen / self.spent:.0f}/s)  {losses}",
            flush=True,
        )


def _process(rank: int, world: int, args: argparse.Namespace) -> None:
    torch.set_num_threads(1 if world > 1 else args.threads)
    if world > 1:
        os.setsid()  # schedulers that share time by session then count each process, not the pair, as one
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
    parser.add_argument("--minutes", type=float, default=75)
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
