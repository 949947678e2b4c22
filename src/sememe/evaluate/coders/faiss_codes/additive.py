"""Additive codes: a vector is the sum of one entry from each codebook."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError
from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.centred import Centred
from sememe.evaluate.coders.faiss_codes.library import CENTROIDS, FEWEST, load, one_thread, quiet
from sememe.evaluate.coders.fixed import Encode, FixedFitted, FixedTrained, FloatTables
from sememe.types import Codes

__all__ = ["LocalSearch", "Residual", "ResidualTrained"]

Floats = NDArray[np.float32]


class Residual:
    """RQ: each codebook is trained on what those before it left; n bytes use the first n of them.

    Source: Chen, Guan, Wang, "Approximate nearest neighbor search by residual vector quantization", Sensors
    2010; beam search after Babenko and Lempitsky, CVPR 2014.

    Parameters
    ----------
    stages
        Codebooks, trained once; the highest rate in bytes.
    train_beam, encode_beam
        Partial codes that training and encoding keep at each stage.
    """

    name = "rq"
    title = "residual quantization (FAISS RQ, beam 16)"
    length: Length = "fixed"
    source = "Chen et al., Sensors 2010; FAISS"

    def __init__(self, stages: int = 64, train_beam: int = 2, encode_beam: int = 16) -> None:
        self._stages = stages
        self._train_beam = train_beam
        self._encode_beam = encode_beam

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """One byte a stage."""
        return tuple(float(n) for n in range(1, self._stages + 1))

    def train(self, training: Training, note: Note = lambda _: None) -> ResidualTrained:
        """Train all stages: some minutes for tens of thousands of vectors."""
        centred = Centred.of(training, FEWEST)
        with one_thread() as faiss:
            note(f"training {self._stages} stages of 256 entries")
            quantizer = faiss.ResidualQuantizer(centred.dim, self._stages, 8)
            quiet(quantizer.cp, centred.seed)
            quantizer.max_beam_size = self._train_beam
            quantizer.train(centred.rows)
            flat = faiss.vector_to_array(quantizer.codebooks)
        return self.resume(training, flat.reshape(self._stages, CENTROIDS, centred.dim))

    def resume(self, training: Training, codebooks: Floats) -> ResidualTrained:
        """Take codebooks (stages, 256, d) that were trained before on the same vectors.

        Raises
        ------
        VectorError
            They have another shape.
        """
        centred = Centred.of(training)
        if codebooks.shape != (self._stages, CENTROIDS, centred.dim):
            raise VectorError(
                f"codebooks must be ({self._stages}, {CENTROIDS}, {centred.dim}), not {codebooks.shape}"
            )
        return ResidualTrained(self, centred, codebooks, self._encode_beam)


class ResidualTrained(FixedTrained):
    """Codebooks (stages, 256, d), of which every rate takes the first ones."""

    def __init__(self, coder: Residual, centred: Centred, codebooks: Floats, beam: int) -> None:
        super().__init__(coder, centred.dim, self._cut)
        self.codebooks = codebooks
        self._centred = centred
        self._beam = beam

    def _cut(self, nbytes: int, note: Note) -> FixedFitted:
        kept = np.ascontiguousarray(self.codebooks[:nbytes])
        with one_thread() as faiss:
            quantizer = faiss.ResidualQuantizer(self._centred.dim, nbytes, 8)
            faiss.copy_array_to_vector(kept.reshape(-1), quantizer.codebooks)
            quantizer.is_trained = True
            quantizer.max_beam_size = self._beam
        return FixedFitted(nbytes, {"codebooks": kept}, _encoder(quantizer), _decode, self._centred)


class LocalSearch:
    """LSQ: all codebooks trained together, codes found by stochastic local search.

    Source: Martinez, Zakhmi, Hoos, Little, "LSQ++: lower running time and higher recall in multi-codebook
    quantization", ECCV 2018.

    Parameters
    ----------
    most
        Highest rate in bytes. Training takes a minute or more at 8 bytes, ten at 16 and tens of minutes
        beyond, where RQ is no worse; so 16 is where it ends unless you say otherwise.
    """

    name = "lsq"
    title = "local search quantization (FAISS LSQ)"
    length: Length = "fixed"
    source = "Martinez et al., ECCV 2018; FAISS"

    def __init__(self, most: int = 16) -> None:
        self._most = most

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Up to 16 bytes: beyond, training takes tens of minutes; `most` raises it."""
        return tuple(float(n) for n in range(1, self._most + 1))

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Keep the vectors; codebooks are trained for each rate."""
        load()
        centred = Centred.of(training, FEWEST)
        return FixedTrained(self, centred.dim, lambda nbytes, note: self._fit(centred, nbytes, note))

    def _fit(self, centred: Centred, nbytes: int, note: Note) -> FixedFitted:
        note(f"training {nbytes} codebooks together")
        with one_thread() as faiss:
            quantizer = faiss.LocalSearchQuantizer(centred.dim, nbytes, 8)
            quantizer.random_seed += centred.seed
            quantizer.train(centred.rows)
            flat = faiss.vector_to_array(quantizer.codebooks)
        codebooks = flat.reshape(nbytes, CENTROIDS, centred.dim)
        return FixedFitted(nbytes, {"codebooks": codebooks}, _encoder(quantizer), _decode, centred)


def _encoder(quantizer: Any) -> Encode:
    def encode(rows: Floats) -> Codes:
        with one_thread():
            codes: Codes = quantizer.compute_codes(rows)
        return codes

    return encode


def _decode(tables: FloatTables, codes: Codes) -> Floats:
    codebooks = tables["codebooks"]
    rows = np.zeros((len(codes), codebooks.shape[2]), np.float32)
    for stage, codebook in enumerate(codebooks):
        rows += codebook[codes[:, stage]]
    return rows
