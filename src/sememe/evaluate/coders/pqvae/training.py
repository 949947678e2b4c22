"""Training with torch: cosine loss, codebook loss and commitment, gradients straight through the quantizer.

Source: Shen et al., "Compression Beyond Pixels", 2025 (what is minimised); van den Oord et al., "Neural
discrete representation learning", 2017 (straight-through gradients, commitment).
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sememe.errors import MissingExtraError, VectorError
from sememe.evaluate.coder import Note
from sememe.evaluate.coders.pqvae.model import Settings, forms
from sememe.types import Embeddings

__all__ = ["load_torch", "train"]

Tensor: TypeAlias = Any  # torch is an extra; nothing here may need its types
Parameters: TypeAlias = "dict[str, Tensor]"

_WARM_UP = 50
_RESTART_EVERY = 25
_RESTART_UNTIL = 0.7  # of all steps
_DEAD = 0.02  # of an even share
_FIXED = ("mean", "spread")
_QUIET = 0.1  # weights of the hidden path at the start, beside the linear one


def load_torch() -> Any:
    """Import torch.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        return import_module("torch")
    except ImportError as exc:
        raise MissingExtraError("a PQ-VAE is trained with torch: pip install 'sememe[recipes]'") from exc


def train(x: Embeddings, settings: Settings, seed: int, note: Note) -> dict[str, NDArray[np.float32]]:
    """Train a network.

    Parameters
    ----------
    x
        (n, d) unit rows.
    settings
        Shape and schedule.
    seed
        Of all that is random; one machine with one thread repeats itself.
    note
        Called once an epoch.

    Returns
    -------
    dict
        Arrays as `forms` names them.

    Raises
    ------
    VectorError
        Fewer vectors than a step takes.
    UsageError
        The settings do not fit the dimension.
    """
    torch = load_torch()
    if len(x) < settings.batch:
        raise VectorError(f"{len(x)} vectors are too few to train on: a step takes {settings.batch}")
    random = torch.Generator().manual_seed(seed)
    parameters = _start(torch, x, settings, random)
    learned = [parameters[name].requires_grad_() for name in parameters if name not in _FIXED]
    optimizer = torch.optim.Adam(learned, lr=settings.rate, fused=True)
    rows = torch.tensor(x)
    steps = len(x) // settings.batch
    used = torch.zeros(parameters["codebooks"].shape[:2])
    for step in range(settings.epochs * steps):
        if step % steps == 0:
            order = torch.randperm(len(x), generator=random)
        chosen = rows[order[step % steps * settings.batch :][: settings.batch]]
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * _schedule(step, settings.epochs * steps)
        loss, parts, indices = _loss(torch, parameters, settings, chosen)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            _count(torch, used, indices)
            if step == 0 or (step % _RESTART_EVERY == 0 and step < _RESTART_UNTIL * settings.epochs * steps):
                _restart(torch, parameters["codebooks"], used, parts, random, everything=step == 0)
        if step % steps == steps - 1:
            note(f"epoch {step // steps + 1} of {settings.epochs}: loss {float(loss.detach()):.3f}")
    return {name: value.detach().numpy().astype(np.float32) for name, value in parameters.items()}


def _schedule(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / _WARM_UP) * (0.51 + 0.49 * math.cos(math.pi * step / steps))


def _start(torch: Any, x: Embeddings, settings: Settings, random: Any) -> Parameters:
    """First values: the linear path deals principal components out, the hidden one is quiet."""
    shapes = forms(settings, x.shape[1])
    values = {name: torch.zeros(shape) for name, shape in shapes.items()}
    for name, shape in shapes.items():
        if name.endswith("weight"):
            loud = 1.0 if name in ("in_weight", "down_weight") else _QUIET
            values[name] = loud * torch.randn(shape, generator=random) / math.sqrt(shape[1])
    mean = x.mean(axis=0, dtype=np.float64)
    spread = math.sqrt(float(np.square(x - mean).mean()))
    values["mean"] = torch.tensor(mean.astype(np.float32))
    values["spread"] = torch.tensor([spread], dtype=torch.float32)
    dealt = torch.tensor(_dealt(x - mean, settings).astype(np.float32))
    values["skip_weight"] = dealt.clone()
    values["back_weight"] = dealt.T.contiguous()
    return values


def _dealt(centred: NDArray[np.floating], settings: Settings) -> NDArray[np.float64]:
    """Principal directions as rows (m · e, d): the first m go to the first places of the sub-vectors."""
    wide = centred.astype(np.float64)
    directions = np.linalg.eigh(wide.T @ wide)[1][:, ::-1].T
    m, part = settings.subvectors, settings.part(centred.shape[1])
    rows = np.zeros((m * part, len(directions)))
    count = np.arange(min(len(directions), m * part))
    rows[count % m * part + count // m] = directions[count]
    return rows


def _loss(torch: Any, p: Parameters, settings: Settings, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Loss, sub-vectors (n, m, e) and their indices (n, m)."""
    functional = torch.nn.functional
    rows = (x - p["mean"]) / p["spread"]
    inner = functional.relu(functional.linear(rows, p["in_weight"], p["in_bias"]))
    wide = functional.linear(inner, p["up_weight"], p["up_bias"]) + functional.linear(rows, p["skip_weight"])
    parts = functional.normalize(wide.view(len(x), settings.subvectors, -1), dim=2)
    books = p["codebooks"].expand(settings.subvectors, -1, -1)
    with torch.no_grad():
        scores = torch.einsum("nme,mke->nmk", parts, books) - books.square().sum(2) / 2
        indices = scores.argmax(2)
    chosen = books[torch.arange(settings.subvectors), indices]
    through = (parts + (chosen - parts).detach()).flatten(1)
    inner = functional.relu(functional.linear(through, p["down_weight"], p["down_bias"]))
    back = functional.linear(inner, p["out_weight"], p["out_bias"]) + functional.linear(
        through, p["back_weight"]
    )
    decoded = back * p["spread"] + p["mean"]
    cosine = functional.cosine_similarity(decoded, x, dim=1).mean()
    codebook = (chosen - parts.detach()).square().sum(2).mean()
    commitment = (chosen.detach() - parts).square().sum(2).mean()
    return settings.alpha * (1 - cosine) + codebook + settings.beta * commitment, parts, indices


def _count(torch: Any, used: Tensor, indices: Tensor) -> None:
    books, codewords = used.shape
    places = indices + codewords * torch.arange(books) if books > 1 else indices
    used += torch.bincount(places.flatten(), minlength=books * codewords).view(books, codewords)


def _restart(
    torch: Any, books: Tensor, used: Tensor, parts: Tensor, random: Any, *, everything: bool
) -> None:
    """Put codewords that are hardly used onto sub-vectors drawn from the last step, and count anew."""
    for book, (codebook, counts) in enumerate(zip(books, used, strict=True)):
        dead = torch.nonzero((counts < _DEAD * counts.mean()) | everything).flatten()
        pool = parts.reshape(-1, parts.shape[2]) if len(books) == 1 else parts[:, book]
        codebook[dead] = pool[torch.randint(len(pool), (len(dead),), generator=random)]
    used.zero_()
