"""Tiny random CLIP and SigLIP checkpoints made from their true configuration classes, with true tokenizers.

Nothing here knows the code under test: folders are written by transformers and tokenizers alone.
"""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import cpu_torchvision

SENTENCES = (
    "a photo of a cat",
    "two dogs playing in the snow, seen from above",
    "an old red boat on a quiet lake at sunset",
    "naïve café à la carte; 東京タワー, Москва, 🚀🌕",
    "the quick brown fox jumps over the lazy dog 0123456789",
    "it's what they've said: we'll see, don't you think?",
)
SIDE = 32
LENGTH = 16
CLIP_PREPROCESSOR = {
    "image_processor_type": "CLIPImageProcessor",
    "crop_size": {"height": SIDE, "width": SIDE},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": SIDE},
}
SIGLIP_PREPROCESSOR = {
    "image_processor_type": "SiglipImageProcessor",
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": SIDE, "width": SIDE},
}


def clip_tokenizer(vocab: dict[str, int], merges: list[tuple[str, str]]) -> Any:
    """CLIP's tokenizer as its `tokenizer.json` describes it, over any byte-level vocabulary."""
    cpu_torchvision.mend()
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=vocab, merges=merges)


def trained_clip_tokenizer() -> Any:
    """A byte-level BPE of 600 tokens, trained on some sentences."""
    import tokenizers
    from tokenizers import models, pre_tokenizers, trainers

    blank = clip_tokenizer({"<|startoftext|>": 0, "<|endoftext|>": 1}, [])._tokenizer
    library = tokenizers.Tokenizer(models.BPE(end_of_word_suffix="</w>", continuing_subword_prefix=""))
    library.normalizer, library.pre_tokenizer = blank.normalizer, blank.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=800,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        special_tokens=["<|startoftext|>", "<|endoftext|>"],
        show_progress=False,
    )
    library.train_from_iterator(SENTENCES, trainer)
    said = json.loads(library.to_str())["model"]
    return clip_tokenizer(said["vocab"], [tuple(pair) for pair in said["merges"]])


def openai_clip_tokenizer() -> Any:
    """The true tokenizer of CLIP, 49,408 entries, from the vocabulary inside the open_clip package."""
    import open_clip
    from open_clip.tokenizer import bytes_to_unicode

    path = Path(open_clip.__file__).with_name("bpe_simple_vocab_16e6.txt.gz")
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")
    merges = [tuple(line.split()) for line in lines[1 : 49152 - 256 - 2 + 1]]
    letters = list(bytes_to_unicode().values())
    entries = [*letters, *(f"{c}</w>" for c in letters), *("".join(pair) for pair in merges)]
    entries += ["<|startoftext|>", "<|endoftext|>"]
    return clip_tokenizer({entry: i for i, entry in enumerate(entries)}, merges)


def make_clip(folder: Path, *, seed: int = 0) -> Path:
    """Write a CLIP of two layers and width 32 that sees 32 pixels."""
    cpu_torchvision.mend()
    import torch
    from transformers import CLIPConfig, CLIPModel

    tokenizer = trained_clip_tokenizer()
    tokenizer.model_max_length = LENGTH
    layers = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "projection_dim": 48,
    }
    text = {
        **layers,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": LENGTH,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    torch.manual_seed(seed)
    config = CLIPConfig(
        text_config=text,
        vision_config={**layers, "image_size": SIDE, "patch_size": 8},
        projection_dim=48,
    )
    return _write(folder, CLIPModel(config), tokenizer, CLIP_PREPROCESSOR)


def make_siglip(folder: Path, *, seed: int = 0) -> Path:
    """Write a SigLIP of two layers and width 32 with a trained SentencePiece vocabulary."""
    cpu_torchvision.mend()
    import torch
    from transformers import SiglipConfig, SiglipModel

    layers = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 2}
    tokenizer = trained_siglip_tokenizer(folder.parent / f"{folder.name}-pieces")
    torch.manual_seed(seed)
    config = SiglipConfig(
        text_config={
            **layers,
            "vocab_size": len(tokenizer),
            "max_position_embeddings": LENGTH,
            "projection_size": 32,
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
        },
        vision_config={**layers, "image_size": SIDE, "patch_size": 8},
    )
    return _write(folder, SiglipModel(config), tokenizer, SIGLIP_PREPROCESSOR)


def trained_siglip_tokenizer(folder: Path) -> Any:
    """SigLIP's tokenizer over a SentencePiece vocabulary of 120 pieces."""
    cpu_torchvision.mend()
    import sentencepiece
    from transformers import SiglipTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    lines = [line.lower().replace(",", "") for line in SENTENCES]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_prefix=str(folder / "spiece"),
        vocab_size=120,
        byte_fallback=False,
        hard_vocab_limit=False,
        pad_id=-1,
        bos_id=-1,
        eos_id=1,
        unk_id=2,
        minloglevel=2,
    )
    return SiglipTokenizer(str(folder / "spiece.model"), model_max_length=LENGTH)


def odd_texts(count: int = 1000, *, seed: int = 0) -> list[str]:
    """Unicode of many scripts, emoji, digits, blanks, long and empty texts."""
    rng = random.Random(seed)
    ranges = (
        *((0x20, 0x7E), (0xA1, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA), (0x620, 0x64A)),
        *((0x904, 0x939), (0xE01, 0xE30), (0x3041, 0x3096), (0x4E00, 0x9FA5), (0xAC00, 0xD7A3)),
        *((0x1F300, 0x1F64F), (0x2190, 0x21FF), (0x2000, 0x206F), (0x300, 0x34F)),
    )
    words = " ".join(SENTENCES).split()
    made = ["", " ", "\n\t", "a" * 3000, "🚀" * 200, "<|endoftext|>", "x" + "\u0301" * 50, *SENTENCES]
    while len(made) < count:
        parts = [
            "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.randint(1, 12)))
            if rng.random() < 0.5
            else rng.choice(words)
            for _ in range(rng.randint(1, rng.choice((3, 8, 60))))
        ]
        made.append(rng.choice((" ", "  ", "", "\n")).join(parts))
    return made


def _write(folder: Path, model: Any, tokenizer: Any, preprocessor: dict[str, Any]) -> Path:
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder
