"""The signals that the student follows."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from .targets import Mix, classifier


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
