"""The signals that the student follows."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from .targets import Mix, classifier

#: How much each signal counts.
WEIGHTS = {"m14": 2.0, "m7": 2.0, "feature": 2.0, "head": 1.0, "mix": 4.0, "name": 0.5}


class Losses:
    """The teacher's maps, features, class probabilities and place in the space, and the concept's name."""

    def __init__(self, mix: Mix, teachers: Path, device: torch.device) -> None:
        self.names = torch.from_numpy(mix.names).float().to(device)
        weights, bias = classifier(teachers)
        # the student predicts standardised features; fold that into the teacher's own last layer
        self.weights = torch.from_numpy(weights * mix.spread).float().to(device)
        self.bias = torch.from_numpy(bias + weights @ mix.mean).float().to(device)

    def __call__(self, model: torch.nn.ModuleDict, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return each weighted loss of a batch."""
        student, hints = model["student"], model["hints"]
        with torch.autocast(batch["pixels"].device.type, torch.bfloat16):
            seen = student.look(batch["pixels"])
            m14, m7 = hints.m14(seen.m14), hints.m7(seen.m7)
        pooled = seen.pooled.float()
        z, feature = functional.normalize(student.joint(pooled), dim=1), hints.feature(pooled)
        named = batch["concept"] >= 0
        near = z[named] @ self.names.T * model["scale"][0].clamp(max=4.0).exp()
        out = {
            "m14": functional.mse_loss(m14.float(), batch["m14"]),
            "m7": functional.mse_loss(m7.float(), batch["m7"]),
            "feature": functional.mse_loss(feature, batch["features"]),
            "head": soft(feature @ self.weights.T + self.bias, batch["logits"].softmax(1)),
            "mix": (1 - (z * batch["mix"]).sum(1)).mean(),
            "name": functional.cross_entropy(near, batch["concept"][named], label_smoothing=0.05),
        }
        return {name: WEIGHTS[name] * value for name, value in out.items()}


def soft(logits: Tensor, target: Tensor) -> Tensor:
    """Return the divergence of a prediction from a teacher's distribution."""
    return functional.kl_div(logits.log_softmax(1), target, reduction="batchmean")
