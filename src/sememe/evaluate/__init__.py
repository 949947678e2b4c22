"""Rate against meaning: any coder, any vectors, real bytes, one harness.

::

    files ──read──► Pool ──make_trial──► Trial ──run──► Report ──► tables, plots
                                         Coder ──┘
"""

from __future__ import annotations

from sememe.evaluate.building import make_trial
from sememe.evaluate.coder import Coder, Fitted, Length, Note, Trained, Training
from sememe.evaluate.judge import FIGURES, Judge
from sememe.evaluate.pictures import Embedder, embed_folder, embed_names
from sememe.evaluate.pool import Pool, Texts, read_pool, read_texts
from sememe.evaluate.registry import NAMES, coder
from sememe.evaluate.report import SCHEMA, Report
from sememe.evaluate.run import rates_of, run
from sememe.evaluate.trial import Rows, Trial, ZeroShot

__all__ = [
    "FIGURES",
    "NAMES",
    "SCHEMA",
    "Coder",
    "Embedder",
    "Fitted",
    "Judge",
    "Length",
    "Note",
    "Pool",
    "Report",
    "Rows",
    "Texts",
    "Trained",
    "Training",
    "Trial",
    "ZeroShot",
    "coder",
    "embed_folder",
    "embed_names",
    "make_trial",
    "rates_of",
    "read_pool",
    "read_texts",
    "run",
]
