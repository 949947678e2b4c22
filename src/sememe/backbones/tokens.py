"""Texts to token ids by a model's own tokenizer: `tokenizer.json`, or SigLIP's `spiece.model`.

::

    texts ─tokenizer.json | spiece.model─► ids ... end ─cut, pad─► (n, length) int64

Cutting keeps the end token, padding fills up to the length that the network was trained with: SigLIP pools
its last position and MobileCLIP2 looks at all of them, so that any other length gives other vectors.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.backbones.modelfolder import Fields, ModelFolder, reason
from sememe.errors import MissingExtraError, ModelFormatError

Encode = Callable[[list[str]], list[list[int]]]

_TOKENIZER = ("tokenizer.json", "textual/tokenizer.json")
_CONFIG = ("tokenizer_config.json", "textual/tokenizer_config.json")
_SPIECE = ("spiece.model", "textual/spiece.model")
_UNBOUNDED = 100_000  # files that know no length write 1e30


@dataclass(frozen=True, slots=True)
class TextRule:
    """What is known of a model's texts beside, or in spite of, its files.

    Parameters
    ----------
    length : int, optional
        Tokens of a text.
    pad : int, optional
        Id that fills up.
    lowercase : bool
        Whether texts are lower-cased first.
    """

    length: int | None = None
    pad: int | None = None
    lowercase: bool = False


class Tokenizer:
    """Cuts texts into tokens, and to one length.

    Parameters
    ----------
    encode : callable
        Ids of each text, special tokens included, not padded, at most `length` of them.
    length : int
        Columns of the result.
    pad : int
        Id that fills up.
    lowercase : bool
        Whether texts are lower-cased first.
    """

    def __init__(self, encode: Encode, *, length: int, pad: int, lowercase: bool = False) -> None:
        self._encode = encode
        self.length = length
        self.pad = pad
        self.lowercase = lowercase

    def __call__(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Turn n texts into (n, length) int64 ids."""
        wanted = [text.lower() if self.lowercase else text for text in texts]
        rows = np.full((len(wanted), self.length), self.pad, np.int64)
        for row, ids in zip(rows, self._encode(wanted) if wanted else [], strict=True):
            row[: len(ids)] = ids
        return rows


def read_tokenizer(folder: ModelFolder, rule: TextRule | None = None) -> Tokenizer:
    """Read a model's tokenizer.

    Parameters
    ----------
    folder : ModelFolder
    rule : TextRule, optional
        What goes before the files.

    Raises
    ------
    ModelUnavailableError
        There is no tokenizer in the folder.
    ModelFormatError
        It is damaged, or the files do not say how long texts are or what fills them up.
    MissingExtraError
        The library that reads it is not installed.
    """
    rule = rule or TextRule()
    config = folder.json_or_empty(*_CONFIG)
    length = rule.length or _length(folder, config)
    path = folder.file(*_TOKENIZER, *_SPIECE)
    if path.suffix == ".model":
        return _sentencepiece(path, config, length, rule)
    lowercase = rule.lowercase or bool(config.get("do_lower_case"))
    return _hugging_face(path, config, length, rule, lowercase)


def _length(folder: ModelFolder, config: Fields) -> int:
    """How many tokens a text has: the first of three files that says so."""
    model = folder.json_or_empty("config.json")
    open_clip = folder.json_or_empty("open_clip_config.json").section("model_cfg") or model
    said = (
        config.get("model_max_length"),
        model.section("text_config").get("max_position_embeddings"),
        open_clip.section("text_cfg").get("context_length"),
    )
    found = next((int(n) for n in said if isinstance(n, int | float) and 1 < n < _UNBOUNDED), None)
    if found is None:
        raise ModelFormatError(
            f"{folder.path}: no file says how many tokens a text has; write model_max_length, such as 77 for "
            "CLIP or 64 for SigLIP, into tokenizer_config.json"
        )
    return found


def _hugging_face(path: Path, config: Fields, length: int, rule: TextRule, lowercase: bool) -> Tokenizer:
    """Read a `tokenizer.json` with the library that writes them."""
    try:
        from tokenizers import Tokenizer as Library
    except ImportError as exc:
        raise MissingExtraError("texts need a tokenizer: pip install 'sememe[clip]'") from exc

    try:
        library = Library.from_file(str(path))
        said = library.padding
        library.no_padding()
        library.enable_truncation(length)
    except Exception as exc:  # the library raises plain Exception for damaged files
        raise ModelFormatError(
            f"{path}: no tokenizer, or damaged ({reason(exc)}); copy or pull the model again"
        ) from exc
    pad = rule.pad if rule.pad is not None else _pad(path, config, library, said)

    def encode(texts: list[str]) -> list[list[int]]:
        try:
            return [list(found.ids) for found in library.encode_batch(texts)]
        except Exception as exc:  # such as an unknown word, where the vocabulary lacks the token for it
            raise ModelFormatError(
                f"{path}: cannot cut a text ({reason(exc)}); copy or pull the model again"
            ) from exc

    return Tokenizer(encode, length=length, pad=pad, lowercase=lowercase)


def _pad(path: Path, config: Fields, library: Any, padding: dict[str, Any] | None) -> int:
    """Id that fills up: as `tokenizer_config.json` names it, else as `tokenizer.json` does."""
    token = _token(config.get("pad_token"))
    found = library.token_to_id(token) if token else (padding or {}).get("pad_id")
    if not isinstance(found, int):
        raise ModelFormatError(
            f"{path}: neither it nor tokenizer_config.json says which token fills texts up; add pad_token"
        )
    return found


def _sentencepiece(path: Path, config: Fields, length: int, rule: TextRule) -> Tokenizer:
    """Read SigLIP's `spiece.model`: texts lose their punctuation, spaces are joined (Zhai et al. 2023)."""
    try:
        import sentencepiece
    except ImportError as exc:
        raise MissingExtraError(
            f"{path}: needs the sentencepiece library: pip install 'sememe[clip]'"
        ) from exc

    pieces = sentencepiece.SentencePieceProcessor()
    try:
        pieces.LoadFromSerializedProto(path.read_bytes())
        end = pieces.piece_to_id(_token(config["eos_token"]))
        pad = rule.pad if rule.pad is not None else pieces.piece_to_id(_token(config["pad_token"]))
    except (RuntimeError, OSError) as exc:
        raise ModelFormatError(
            f"{path}: no SentencePiece model, or damaged; copy or pull the model again"
        ) from exc

    def encode(texts: list[str]) -> list[list[int]]:
        return [[*pieces.encode(canonical(text))[: length - 1], end] for text in texts]

    return Tokenizer(encode, length=length, pad=pad, lowercase=bool(config["do_lower_case"]))


def canonical(text: str) -> str:
    """Remove ASCII punctuation and join spaces, as SigLIP's texts were before training."""
    return re.sub(r"\s+", " ", text.translate(_NO_PUNCTUATION)).strip()


def _token(said: Any) -> str:
    """A token as files write it: its text, or an object that holds it."""
    return str((said.get("content") if isinstance(said, dict) else said) or "")


_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
