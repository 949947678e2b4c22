"""Captions written by a language model that hears a prefix made from the vector (ClipCap)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sememe.caption.captions import Caption
from sememe.caption.mapping import Mapping
from sememe.errors import MissingExtraError, ModelFormatError, ModelUnavailableError
from sememe.types import Embeddings

TOKENS = 40
"""Longest caption, in tokens of the language model."""

BEAMS = 5
"""Sentences that the beam search keeps, unless more alternatives are asked for."""


@dataclass(frozen=True, eq=False)
class PrefixCaptioner:
    """A mapping network and the language model that it was trained for."""

    mapping: Mapping
    model: Any
    tokenizer: Any

    @classmethod
    def load(cls, mapping: Mapping, language_model: str | Path) -> PrefixCaptioner:
        """Load the language model from this machine; nothing is fetched.

        Parameters
        ----------
        mapping : Mapping
        language_model : path
            Folder with a causal language model and its tokenizer, as transformers keeps them.

        Raises
        ------
        MissingExtraError
            torch or transformers is not installed.
        ModelUnavailableError, ModelFormatError
            The language model is missing or damaged.
        ProfileMismatchError
            The language model is not the one that the network was trained for.
        """
        model, tokenizer = load_language_model(language_model)
        mapping.check_language_model(model.config.hidden_size, model.config.vocab_size)
        return cls(mapping, model, tokenizer)

    def caption(
        self, x: Embeddings, *, alternatives: int = 0, beams: int = BEAMS
    ) -> list[tuple[Caption, ...]]:
        """Write captions of (n, d) decoded vectors by beam search, the likeliest first.

        Their confidence is None: a language model's probability says how usual a sentence is, not how true.
        """
        import torch

        count = 1 + alternatives
        prefix = torch.from_numpy(self.mapping(x)).to(self.model.device, self.model.dtype)
        with torch.inference_mode():
            tokens = self.model.generate(
                inputs_embeds=prefix,
                attention_mask=torch.ones(prefix.shape[:2], dtype=torch.long, device=self.model.device),
                max_new_tokens=TOKENS,
                num_beams=max(beams, count),
                num_return_sequences=count,
                do_sample=False,
                early_stopping=True,
                pad_token_id=self.model.config.eos_token_id,
            )
        texts = [_clean(text) for text in self.tokenizer.batch_decode(tokens, skip_special_tokens=True)]
        captions = [Caption(text, None) for text in texts]
        return [tuple(captions[row * count : (row + 1) * count]) for row in range(len(x))]


def load_language_model(folder: str | Path) -> tuple[Any, Any]:
    """Load a causal language model and its tokenizer from a folder, without touching the network.

    Raises
    ------
    MissingExtraError
        torch or transformers is not installed.
    ModelUnavailableError
        No model is there.
    ModelFormatError
        Its files are damaged.
    """
    if not (Path(folder) / "config.json").is_file():
        raise ModelUnavailableError(
            f"{folder}: no language model is there; give a folder with its config.json"
        )
    try:
        import torch  # noqa: F401
        from transformers import AutoModelForCausalLM, AutoTokenizer, logging
    except ImportError as exc:
        raise MissingExtraError(
            "writing captions with a language model needs an extra: pip install 'sememe[torch]'"
        ) from exc
    logging.disable_progress_bar()  # ours are drawn on terminals only
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    except Exception as exc:  # transformers raises whatever its parsers do
        reason = " ".join(str(exc).split())[:200]
        raise ModelFormatError(f"{folder}: no causal language model can be loaded ({reason})") from exc
    return model.eval(), tokenizer


def _clean(text: str) -> str:
    return " ".join(text.split())
