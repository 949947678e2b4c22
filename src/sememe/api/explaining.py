"""What survives of one image at 4, 8, 16, 32 bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sememe.api.files import read_sem
from sememe.api.identity import check_record
from sememe.api.inputs import ImageLike
from sememe.api.results import Explanation, Rate
from sememe.bitstream import Record
from sememe.errors import UsageError
from sememe.metrics import cosine
from sememe.types import Embeddings
from sememe.zeroshot import EVERYDAY, Classifier

if TYPE_CHECKING:
    from sememe.api.coder import Coder


@dataclass(frozen=True, eq=False, slots=True)
class Subject:
    """What is explained: a code, and the original vector (1, d) if there is one."""

    name: str
    code: bytes
    original: Embeddings | None


def explain(
    codec: Coder,
    item: ImageLike | Record,
    labels: str | Iterable[str] | None = None,
    *,
    against: ImageLike | None = None,
    rates: Sequence[int] = (4, 8, 16, 32),
    template: str | Sequence[str],
) -> Explanation:
    """See `Codec.explain`, which this is."""
    subject = _subject(codec, item, against, rates)
    lengths = _lengths(rates, len(subject.code), codec.profile.max_bytes)
    classifier = codec.space.classifier(EVERYDAY if labels is None else labels, template)
    decoded = np.concatenate([codec.decode(subject.code[:length]) for length in lengths])
    return Explanation(
        subject.name,
        subject.code,
        None if subject.original is None else classifier.classify(subject.original)[0],
        _rates(lengths, decoded, subject.original, classifier),
    )


def _subject(
    codec: Coder, item: ImageLike | Record, against: ImageLike | None, rates: Sequence[int]
) -> Subject:
    name = str(item) if isinstance(item, str | Path) else "image"
    if isinstance(item, str | Path) and Path(item).suffix.lower() == ".sem":
        item = read_sem(item)
    original = None if against is None else codec.image(against)[None]
    if isinstance(item, Record):
        check_record(item, codec.profile)
        return Subject(name, item.payload, original)
    if against is not None:
        raise UsageError("an image is its own original: give `against` with a code or .sem file only")
    vector = codec.image(item)[None]
    longest = min(max(rates, default=codec.nbytes), codec.profile.max_bytes)
    return Subject(name, codec.encode_vectors(vector, nbytes=longest)[0], vector)


def _lengths(rates: Sequence[int], longest: int, max_bytes: int) -> list[int]:
    """Lengths to look at, ascending: those asked for that the code has, and its own."""
    if not all(1 <= rate <= max_bytes for rate in rates):
        raise UsageError(f"rates are lengths of 1 to {max_bytes} bytes, not {', '.join(map(str, rates))}")
    return sorted({rate for rate in rates if rate < longest} | {longest})


def _rates(
    lengths: Sequence[int], decoded: Embeddings, original: Embeddings | None, classifier: Classifier
) -> tuple[Rate, ...]:
    full = decoded[-1:]
    predictions = classifier.classify(decoded)
    reference = predictions[-1] if original is None else classifier.classify(original)[0]
    return tuple(
        Rate(
            length,
            None if original is None else float(cosine(original, row[None])[0]),
            float(cosine(full, row[None])[0]),
            prediction,
            prediction.best.label == reference.best.label,
        )
        for length, row, prediction in zip(lengths, decoded, predictions, strict=True)
    )
