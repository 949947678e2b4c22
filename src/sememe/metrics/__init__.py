"""How much meaning survived: pure functions over vectors, scores and labels.

Distances compare a vector x with what its bytes decode to. Tasks (search, classification) compare what a
person gets from the decoded vectors with what the originals give. Ties always go to the lower row, so
that one decoded vector shared by many codes cannot make a figure depend on the order of a sort.
"""

from __future__ import annotations

from sememe.metrics.classes import agreement, class_means, nearest_class_mean_accuracy, top_k_accuracy
from sememe.metrics.distance import byte_to_fidelity, centred_cosine, cosine, fidelity_to_byte, unit_rows
from sememe.metrics.intervals import wilson
from sememe.metrics.ranking import recall_at, search, top_k

__all__ = [
    "agreement",
    "byte_to_fidelity",
    "centred_cosine",
    "class_means",
    "cosine",
    "fidelity_to_byte",
    "nearest_class_mean_accuracy",
    "recall_at",
    "search",
    "top_k",
    "top_k_accuracy",
    "unit_rows",
    "wilson",
]
