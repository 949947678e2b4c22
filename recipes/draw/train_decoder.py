"""Train the decoder: pictures back from their own tokens, half of them as the flow redraws them.

A flow that starts from a disturbed picture instead of noise draws one much like it (Meng et al. 2022), with
the faults of drawn ones: the decoder learns to mend them. The loss is the absolute error of pixels, and the
error of nano's inner maps: detail where nano sees it, instead of blur.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from recipes.nano.export import load_networks
from recipes.nano.student import Student
from recipes.nano.train import rate_at
from torch import Tensor
from torch.nn import functional

from . import data, state
from .decoder import Decoder
from .flow import Flow
from .latents import Patches
from .train_flow import TOLD, Examples

NOISE = 0.25
"""Most that the other half's tokens (spread 1) are disturbed by; each picture has its own share of it."""
FROM, TO, STEPS = 0.6, 0.95, 3
"""Times that redrawing starts at, and its steps."""
RATE, SEEN_WEIGHT = 1.5e-3, 0.6


def seen(student: Student, pixels: Tensor) -> list[Tensor]:
    """Return nano's inner maps of pictures, each at unit length over its channels."""
    first = student.stages[0](student.stem(pixels))
    return [functional.normalize(m.float(), dim=1) for m in (first, student.stages[1](first))]


def loss(decoder: Decoder, student: Student, tokens: Tensor, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean error of pixels, and that of what nano sees."""
    drawn = decoder(tokens)
    with torch.no_grad():
        wanted = seen(student, pixels)
    errors = [(a - b).pow(2).sum(1).mean() for a, b in zip(seen(student, drawn), wanted, strict=True)]
    return (drawn.float() - pixels).abs().mean(), sum(errors[1:], errors[0])


@torch.no_grad()
def redrawn(flow: Flow, batch: dict[str, Tensor], start: float) -> Tensor:
    """Disturb tokens back to a time `start`, and let the flow draw them anew from there."""
    x = torch.lerp(torch.randn_like(batch["tokens"]), batch["tokens"], start)
    steered = [batch[name].bfloat16() for name in ("vector", "colours")]
    for i in range(STEPS):
        t = torch.full((len(x),), start + (1 - start) * i / STEPS, device=x.device)
        x = x + flow(x.bfloat16(), t, *steered)[0].float() * ((1 - start) / STEPS)
    return x


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    state.add_arguments(parser, minutes=6.5, batch=32)
    parser.add_argument("--student", type=Path, help="nano's checkpoint; that in the cache by default")
    args = parser.parse_args()
    run = state.Run(args, "decoder")
    rows = data.split(run.pictures)["train"]
    squares = data.squares(args.shared / "images", args.cache)
    examples = Examples(args, rows)
    flow = state.averaged(args.cache, "flow", Flow(told=TOLD)).to(run.device)
    student, _ = load_networks(args.student or args.nano_cache / "student-all.rank0.pt")
    student = student.to(run.device, memory_format=torch.channels_last).requires_grad_(False)
    decoder = Decoder(Patches.load(args.cache)).to(run.device, memory_format=torch.channels_last)
    run.adopt(decoder, torch.optim.AdamW((p for p in decoder.parameters() if p.requires_grad), lr=RATE))
    while run.progress < 1:
        at, mirrored = examples.pick(run.rng, args.batch)
        chosen = squares[rows[at]]
        chosen[mirrored == 1] = chosen[mirrored == 1][:, :, ::-1]
        pixels = torch.from_numpy(chosen).to(run.device).permute(0, 3, 1, 2).float() / 127.5 - 1
        batch = {k: v.to(run.device) for k, v in examples.batch(at, mirrored, run.rng).items()}
        spread = NOISE * torch.rand(len(at), 1, 1, device=run.device)
        tokens = batch["tokens"] + spread * torch.randn_like(batch["tokens"])
        half = {name: array[: len(at) // 2] for name, array in batch.items()}
        tokens[: len(at) // 2] = redrawn(flow, half, run.rng.uniform(FROM, TO))
        with torch.autocast(run.device.type, torch.bfloat16):
            errors, of_maps = loss(decoder, student, tokens, pixels)
        (errors + SEEN_WEIGHT * of_maps).backward()
        run.step(rate_at(run.progress), args.batch, pixels=errors.item(), maps=of_maps.item())
    run.save()


if __name__ == "__main__":
    main()
