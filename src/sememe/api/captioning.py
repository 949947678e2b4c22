"""Captions of codes: what to compose them from, and what to hand to a language model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sememe.api.sources import CodesLike, read_source
from sememe.api.space import typical_vectors
from sememe.caption import (
    Caption,
    Composer,
    Mapping,
    PrefixCaptioner,
    Vocabulary,
    certainty_of,
    read_vocabulary,
)
from sememe.index import chunks
from sememe.types import Embeddings

if TYPE_CHECKING:
    from sememe.api.coder import Coder


class Captioner(Protocol):
    """Anything that turns decoded vectors (n, d) into captions, the best of each first."""

    def caption(self, x: Embeddings, *, alternatives: int = 0) -> list[tuple[Caption, ...]]:
        """Caption each vector, with that many other captions at most."""
        ...


def composer(codec: Coder, vocabulary: str | Path | Vocabulary | None = None) -> Composer:
    """Make the offline captioner of a codec's space.

    Parameters
    ----------
    codec : Coder
    vocabulary : path or Vocabulary, optional
        Words with vectors (`read_vocabulary`); the package's own, embedded by the codec's backbone, if not
        given.

    Raises
    ------
    ModelUnavailableError
        No vocabulary is given, and the backbone is not on this machine.
    UnknownLabelError, VectorError
        The vocabulary cannot be used, or is of another space.
    """
    if isinstance(vocabulary, str | Path):
        vocabulary = read_vocabulary(vocabulary)
    words = Vocabulary.embed(codec.backbone) if vocabulary is None else vocabulary
    return Composer.of(words, typical_vectors(codec.profile), certainty_of(codec.profile.space_id))


def prefix_captioner(codec: Coder, captioner: str | Path, language_model: str | Path) -> PrefixCaptioner:
    """Load a trained captioner for a codec's space.

    Raises
    ------
    MissingExtraError
        torch or transformers is not installed.
    ModelUnavailableError, ModelFormatError
        A file is missing or damaged.
    ProfileMismatchError
        It was trained on another space, or for another language model.
    """
    mapping = Mapping.load(captioner)
    mapping.check_space(codec.profile.space_id)
    return PrefixCaptioner.load(mapping, language_model)


def caption(
    codec: Coder, codes: CodesLike, captioner: Captioner | None = None, *, alternatives: int = 0
) -> list[tuple[Caption, ...]]:
    """Caption n codes from their bytes alone.

    Parameters
    ----------
    codec : Coder
    codes : see `Coder.decode`
    captioner : Captioner, optional
        From `composer` or `prefix_captioner`; the first if not given. Make it once for many calls.
    alternatives : int
        Other captions of each, at most.

    Returns
    -------
    list of n tuple of Caption
        The best of each first.
    """
    source = read_source(codes, codec.profile)
    used = composer(codec) if captioner is None else captioner
    return [
        told for rows in chunks(len(source)) for told in used.caption(source[rows], alternatives=alternatives)
    ]
