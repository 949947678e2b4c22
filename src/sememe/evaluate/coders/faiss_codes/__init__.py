"""Quantizers of FAISS: trained and encoded by the library, decoded here from codebooks and bytes.

PQ and OPQ cut a vector into pieces and look each up in a codebook of its own; RQ and LSQ add up whole
vectors; PRQ adds up within pieces; RaBitQ keeps signs. A codebook has 256 entries, so that a
byte is an index.

Source: M. Douze et al., "The Faiss library", 2024; each class names its method's paper.
"""

from sememe.evaluate.coders.faiss_codes.additive import LocalSearch, Residual, ResidualTrained
from sememe.evaluate.coders.faiss_codes.products import OptimizedProduct, Product, ProductResidual
from sememe.evaluate.coders.faiss_codes.rabitq import RaBitQ

__all__ = [
    "LocalSearch",
    "OptimizedProduct",
    "Product",
    "ProductResidual",
    "RaBitQ",
    "Residual",
    "ResidualTrained",
]
