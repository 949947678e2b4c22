"""Zero-shot classification: labels in words, no training, from decoded vectors alone."""

from __future__ import annotations

from sememe.zeroshot.classifier import Classifier, Label, Prediction, embed_labels
from sememe.zeroshot.labels import TEMPLATE, read_labels, read_templates
from sememe.zeroshot.words import EVERYDAY

__all__ = [
    "EVERYDAY",
    "TEMPLATE",
    "Classifier",
    "Label",
    "Prediction",
    "embed_labels",
    "read_labels",
    "read_templates",
]
