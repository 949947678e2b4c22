"""Distil MiniLM, as seen through the joint space, into a static table of pieces and one small network."""

from __future__ import annotations

import argparse
import re
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from sememe.backbones.wordpiece import WordPiece, hash_pieces

from . import minilm
from .phrases import compose, nouns
from .space import DIM, Space, load_or_fit

ROW, HIDDEN = 192, 640
BATCH, PEAK_RATE, NEARNESS = 512, 2e-3, 16.0


def pieces() -> list[str]:
    """Return the pieces worth a row: plain letters and single digits."""
    return [p for p in minilm.vocabulary() if re.fullmatch(r"(##)?([a-z]+|[0-9])", p)]


class TextStudent(nn.Module):
    """Rows of a table, their sum to unit length, a linear map and a hidden layer beside it."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(count, ROW))
        self.inner, self.outer = nn.Linear(ROW, HIDDEN), nn.Linear(HIDDEN, DIM, bias=False)
        self.direct = nn.Linear(ROW, DIM, bias=False)
        nn.init.zeros_(self.outer.weight)

    def forward(self, ids: Tensor, offsets: Tensor) -> Tensor:
        """Embed bags of pieces as unit rows."""
        pooled = functional.normalize(functional.embedding_bag(ids, self.table, offsets, mode="sum"), dim=1)
        return functional.normalize(
            self.direct(pooled) + self.outer(functional.relu(self.inner(pooled))), dim=1
        )


def teach(space: Space, texts: list[str], cache: Path) -> np.ndarray:
    """Return the teacher's places of texts, from the cache where it has them."""
    path = cache / "phrases.npz"
    known: dict[str, np.ndarray] = {}
    if path.exists():
        stored = np.load(path)
        known = dict(zip(stored["texts"].tolist(), stored["places"], strict=True))
    new = sorted({t for t in texts if t not in known})
    for i in range(0, len(new), 8192):
        part = new[i : i + 8192]
        known |= dict(zip(part, space.texts(part, (0, 1)).astype(np.float16), strict=True))
        print(f"teacher: {min(i + 8192, len(new))}/{len(new)} phrases", flush=True)
    if new:
        np.savez(path, texts=np.array(list(known)), places=np.stack(list(known.values())))
    return np.stack([known[t] for t in texts]).astype(np.float32)


def first_rows(model: TextStudent, space: Space, names: list[str], cache: Path) -> None:
    """Start each piece at the teacher's place of that piece, along the main directions of all places."""
    words = [n.removeprefix("##") for n in names]
    places = teach(space, words, cache)
    _, directions = np.linalg.eigh(places.T @ places)
    main = torch.from_numpy(directions[:, ::-1][:, :ROW].copy())
    with torch.no_grad():
        model.table.copy_(torch.from_numpy(places) @ main)
        model.direct.weight.copy_(main)


@dataclass(frozen=True)
class Lessons:
    """Phrases as bags of pieces, and the teacher's place (n, 256) of each."""

    bags: list[np.ndarray]
    places: Tensor

    def pick(self, rows: np.ndarray) -> Lessons:
        """Return some of the lessons."""
        return Lessons([self.bags[r] for r in rows], self.places[torch.from_numpy(rows)])

    def answers(self, model: TextStudent) -> Tensor:
        """Return what a student makes of the phrases."""
        offsets = np.cumsum([0, *[len(b) for b in self.bags[:-1]]])
        return model(torch.from_numpy(np.concatenate(self.bags)), torch.from_numpy(offsets))


def prepare(vocabulary: list[str], things: list[str], space: Space, args: argparse.Namespace) -> Lessons:
    """Compose the phrases, cut them into pieces and ask the teacher for their places."""
    words = [p for p in vocabulary if re.fullmatch(r"[a-z]{3,}", p)]
    captions = [str(c) for c in np.load(args.shared / "vectors" / "flickr8k_1000.npz")["captions"]]
    texts, meant = compose(things, words, captions, seed=args.seed)
    print(f"{len(vocabulary)} pieces, {len(things)} things, {len(texts)} phrases", flush=True)
    places = torch.from_numpy(teach(space, meant, args.cache))
    cut = WordPiece(hash_pieces(vocabulary))
    bags = [np.array(cut(t), np.int64) for t in texts]
    return Lessons(bags, places).pick(np.flatnonzero([len(b) > 0 for b in bags]))


def fit(model: TextStudent, lessons: Lessons, names: Tensor, *, epochs: int, seed: int) -> None:
    """Fit the student to the teacher's places, and to how near each is to the names of visible things."""
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_RATE)
    per_epoch = len(lessons.bags) // BATCH
    start = time.monotonic()
    for step in range(epochs * per_epoch):
        if step % per_epoch == 0:
            order = rng.permutation(len(lessons.bags))
        optimizer.param_groups[0]["lr"] = PEAK_RATE * (1 - step / (epochs * per_epoch)) + 1e-5
        batch = lessons.pick(order[(step % per_epoch) * BATCH :][:BATCH])
        out, wanted = batch.answers(model), batch.places
        near = functional.kl_div(
            (out @ names.T * NEARNESS).log_softmax(1),
            (wanted @ names.T * NEARNESS).softmax(1),
            reduction="batchmean",
        )
        cosine = (out * wanted).sum(1).mean()
        optimizer.zero_grad()
        (4 * (1 - cosine) + near).backward()
        optimizer.step()
        if step % 200 == 0:
            seconds = time.monotonic() - start
            print(f"text {step}/{epochs * per_epoch} cosine {cosine.item():.3f} {seconds:.0f} s", flush=True)


def main() -> None:
    """Distil with the options of the command line and write ``text-student.npz`` into the cache."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    target = args.cache / "text-student.npz"
    if target.exists():
        print(f"{target} is there; delete it to distil again")
        return
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    space = load_or_fit(args.cache, args.shared)
    vocabulary = pieces()
    things = nouns(args.shared / "text", args.shared / "teachers")
    lessons = prepare(vocabulary, things, space, args)
    held = np.random.default_rng(1).random(len(lessons.bags)) < 0.02
    model = TextStudent(len(vocabulary))
    first_rows(model, space, vocabulary, args.cache)
    names = torch.from_numpy(teach(space, things, args.cache))
    fit(model, lessons.pick(np.flatnonzero(~held)), names, epochs=args.epochs, seed=args.seed)
    test = lessons.pick(np.flatnonzero(held))
    with torch.no_grad():
        cosine = (test.answers(model) * test.places).sum(1).mean().item()
    print(f"phrases not trained on: cosine to the teacher {cosine:.3f}", flush=True)
    tables = {k: v.detach().numpy() for k, v in model.state_dict().items()}
    np.savez(target, pieces=np.array(vocabulary), cosine=cosine, **tables)


if __name__ == "__main__":
    main()
