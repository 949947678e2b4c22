"""Captions from decoded vectors alone: composed of concepts, offline; or written by a language model.

::

    x̂ (d,) ─Composer─► "a picture of an animal, probably a dog"   each claim with its share of being right
    x̂ (d,) ─PrefixCaptioner─► prefix ─GPT-2─► "a dog runs on the beach"
"""

from __future__ import annotations

from sememe.caption.captions import NO_IDEA, Caption, Claim
from sememe.caption.certainty import Certainty, certainty_of
from sememe.caption.compose import Composer
from sememe.caption.mapping import Mapping
from sememe.caption.prefix import PrefixCaptioner
from sememe.caption.tree import Tree
from sememe.caption.vocabulary import Vocabulary, read_vocabulary
from sememe.caption.words import Concept, concepts

__all__ = [
    "NO_IDEA",
    "Caption",
    "Certainty",
    "Claim",
    "Composer",
    "Concept",
    "Mapping",
    "PrefixCaptioner",
    "Tree",
    "Vocabulary",
    "certainty_of",
    "concepts",
    "read_vocabulary",
]
