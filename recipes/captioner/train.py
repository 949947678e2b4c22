"""Train the mapping network, and if asked the language model, by the likelihood of the captions.

Mokady et al., "ClipCap" (2021): the loss is that of the caption's tokens alone, after the prefix. The small
network wants the language model trained along (their section 3.3); frozen, it learns less.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sememe.caption import Mapping
from sememe.caption.mapping import VERSION
from sememe.disk import writing
from sememe.errors import UsageError

from .pairs import Pairs

IGNORED = -100  # what torch's cross entropy leaves out


@dataclass(frozen=True)
class Settings:
    """What decides the result, besides pairs and language model."""

    prefix: int = 10
    epochs: int = 10
    batch: int = 40
    rate: float = 2e-5
    warmup: int = 500
    noise: float = 0.0
    """Length of the Gaussian noise added to a unit vector, on average."""
    tune: bool = False
    """Whether the language model is trained along."""
    seed: int = 0
    save_every: int = 200


class Training:
    """Networks, optimiser and place in the schedule; saved as a whole, so that it resumes exactly."""

    def __init__(self, pairs: Pairs, model: Any, tokenizer: Any, settings: Settings, space_id: str) -> None:
        torch.manual_seed(settings.seed)
        self.pairs, self.model, self.tokenizer, self.settings = pairs, model, tokenizer, settings
        self.space_id, self.step = space_id, 0
        self.width = int(model.config.hidden_size)
        dim, out = pairs.x.shape[2], settings.prefix * self.width
        self.network = torch.nn.Sequential(
            torch.nn.Linear(dim, out // 2), torch.nn.Tanh(), torch.nn.Linear(out // 2, out)
        )
        self.mean = pairs.x.mean(axis=(0, 1))
        model.requires_grad_(settings.tune)
        model.train(settings.tune)
        tuned = list(model.parameters()) if settings.tune else []
        self.optimiser = torch.optim.AdamW([*self.network.parameters(), *tuned], lr=settings.rate)
        self.tokens = [self._tokens(text) for text in pairs.captions]

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.settings.epochs * math.ceil(len(self.tokens) / self.settings.batch)

    def run(
        self, checkpoint: Path, tell: Callable[[int, int, float], None], *, most: int | None = None
    ) -> bool:
        """Train on from where the checkpoint stopped; return whether all steps are done.

        Parameters
        ----------
        checkpoint : Path
            Saved every so many steps and at the end.
        tell : callable
            Is given step, steps and loss.
        most : int, optional
            Stop after that many steps of this call.
        """
        if checkpoint.exists():
            self._resume(checkpoint)
        last = self.steps if most is None else min(self.steps, self.step + most)
        while self.step < last:
            loss = self._one()
            self.step += 1
            tell(self.step, self.steps, loss)
            if self.step % self.settings.save_every == 0 or self.step == last:
                self._save(checkpoint)
        return self.step == self.steps

    def mapping(self, **provenance: Any) -> Mapping:
        """Give the network as it ships."""
        first, _, second = self.network
        arrays = {
            "mean": self.mean,
            "first.weight": first.weight.detach().numpy(),
            "first.bias": first.bias.detach().numpy(),
            "second.weight": second.weight.detach().numpy(),
            "second.bias": second.bias.detach().numpy(),
        }
        manifest = {
            "version": VERSION,
            "space_id": self.space_id,
            "dim": int(self.pairs.x.shape[2]),
            "prefix": self.settings.prefix,
            "width": self.width,
            "vocabulary": int(self.model.config.vocab_size),
            "training": {**asdict(self.settings), "pairs": len(self.tokens), **provenance},
        }
        return Mapping(manifest, arrays)

    def _one(self) -> float:
        """Take one step; what it draws depends on seed and step alone."""
        settings, count = self.settings, len(self.tokens)
        epoch, at = divmod(self.step, math.ceil(count / settings.batch))
        order = np.random.default_rng([settings.seed, epoch]).permutation(count)
        rows = order[at * settings.batch : (at + 1) * settings.batch]
        rng = np.random.default_rng([settings.seed, epoch, at])
        torch.manual_seed(settings.seed + self.step)  # dropout
        x = torch.from_numpy(self.pairs.batch(rows, settings.noise, rng) - self.mean)
        for group in self.optimiser.param_groups:
            group["lr"] = settings.rate * self._schedule()
        loss = self._loss(x, [self.tokens[row] for row in rows])
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())

    def _loss(self, x: torch.Tensor, captions: list[list[int]]) -> torch.Tensor:
        prefix = self.network(x).reshape(len(x), self.settings.prefix, self.width)
        longest = max(map(len, captions))
        tokens = torch.zeros(len(x), longest, dtype=torch.long)
        wanted = torch.full((len(x), longest), IGNORED)
        for row, caption in enumerate(captions):
            tokens[row, : len(caption)] = wanted[row, : len(caption)] = torch.tensor(caption)
        heard = torch.cat([prefix, self.model.get_input_embeddings()(tokens)], dim=1)
        seen = torch.cat([torch.ones(prefix.shape[:2]), (wanted != IGNORED).float()], dim=1)
        logits = self.model(inputs_embeds=heard, attention_mask=seen).logits
        said = logits[:, self.settings.prefix - 1 : -1]
        return torch.nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED)

    def _schedule(self) -> float:
        """Warm up in a straight line, then fall in one to zero."""
        warmup = min(self.settings.warmup, self.steps // 10)
        if self.step < warmup:
            return (self.step + 1) / warmup
        return (self.steps - self.step) / max(1, self.steps - warmup)

    def _tokens(self, text: str) -> list[int]:
        return [*self.tokenizer(text)["input_ids"], self.model.config.eos_token_id]

    def _key(self) -> dict[str, Any]:
        """What must be the same for a checkpoint to go on."""
        return {"settings": asdict(self.settings), "pairs": len(self.tokens), "space_id": self.space_id}

    def _save(self, path: Path) -> None:
        state = {
            "key": self._key(),
            "step": self.step,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "model": self.model.state_dict() if self.settings.tune else None,
        }
        with writing(path) as file:
            torch.save(state, file)

    def _resume(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        if state["key"] != self._key():
            raise UsageError(
                f"{path}: was left by a training with other settings; remove it or name another -o"
            )
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        if self.settings.tune:
            self.model.load_state_dict(state["model"])
