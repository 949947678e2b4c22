"""How good captions are: BLEU and CIDEr-D against what people wrote, and how well text finds its picture."""

from __future__ import annotations

from sememe.evaluate.captions.bleu import bleu
from sememe.evaluate.captions.cider import cider_d
from sememe.evaluate.captions.retrieval import Retrieval, ranks
from sememe.evaluate.captions.words import ngrams, words

__all__ = ["Retrieval", "bleu", "cider_d", "ngrams", "ranks", "words"]
