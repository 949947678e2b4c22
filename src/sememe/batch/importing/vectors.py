"""Vectors that other tools made, into an archive."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sememe.archive import NewItem
from sememe.batch.importing.rows import Part, Vectors
from sememe.batch.importing.store import Coded, Store
from sememe.batch.progress import Progress, progress_bar
from sememe.batch.report import Report
from sememe.batch.spending import Spending
from sememe.errors import InputError

if TYPE_CHECKING:
    from sememe.api import Codec


def import_vectors(
    sources: Iterable[Vectors],
    target: str | Path,
    codec: Codec,
    *,
    mean_bytes: float | None = None,
    progress: Progress = None,
    unreadable: Mapping[str, InputError] | None = None,
) -> Report:
    """Encode vectors into an archive, which is made if it does not exist.

    A rerun takes only rows whose names the archive does not know, or that failed before: a run that was
    killed goes on. Of rows of one name the first counts. A row without a name is called FILE#NUMBER.

    Parameters
    ----------
    sources : iterable of Vectors
        Each is read in parts of some thousand rows; see `find_vectors`.
    target : str or Path
        Archive to make or to add to.
    codec : Codec
        Its profile codes the vectors, its `nbytes` is the length of every code.
    mean_bytes : float, optional
        As in `encode_paths`; what it means for which vector is learned from the first part.
    progress : see `encode_paths`
    unreadable : mapping, optional
        Sources that could not be read, for the report.

    Returns
    -------
    Report
        Rows by what became of them. Rows with a null, a wrong dimension, values that are not finite or zeros
        only are kept as failed; a source that cannot be read is a failure under its own name.

    Raises
    ------
    ProfileMismatchError
        The archive was made with another profile or length of codes.
    StorageError
        The archive cannot be written.
    """
    started, found = time.monotonic(), list(sources)
    with (
        codec.open_archive(target, mean_bytes=mean_bytes) as archive,
        progress_bar(progress, _count(found)) as show,
    ):
        store, spending = Store(archive), Spending(archive, codec)
        for name, error in (unreadable or {}).items():
            store.fail(name, str(error))
        for source in found:
            try:
                for part in source.parts(codec.profile.dim):
                    store.put(list(_coded(part, source, store, spending, codec.profile.dim)))
                    show(len(part.names))
            except InputError as exc:
                store.fail(str(source.path), str(exc))
    return store.report(time.monotonic() - started)


def _coded(part: Part, source: Vectors, store: Store, spending: Spending, dim: int) -> Iterator[Coded]:
    """Encode the rows of a part that the archive lacks; the others of its rows that cannot be say why."""
    paths = store.wanted(part.names, lambda row: f"{source.path}#{part.first + row}")
    rows = np.fromiter(paths, np.int64, len(paths))
    of_vector = np.cumsum(part.fits) - 1
    fit = rows[part.fits[rows]]
    x = part.x[of_vector[fit]]
    errors = dict.fromkeys(rows[~part.fits[rows]].tolist(), _WRONG.format(dim)) | {
        row: error for row, error in zip(fit.tolist(), _flaws(x), strict=True) if error is not None
    }
    good = np.array([row not in errors for row in fit.tolist()], np.bool_)
    if good.any() and not spending.settled:
        spending.settle(x[good])
    encoded = spending.encode(x[good])
    for number, row in enumerate(fit[good].tolist()):
        yield NewItem(paths[row], fidelity=encoded.fidelity(number)), encoded[number]
    for row, error in errors.items():
        yield NewItem(paths[row], error=error), None


def _flaws(x: NDArray[np.float32]) -> list[str | None]:
    """What is wrong with each vector (n, d), if anything."""
    finite, some = np.isfinite(x), x != 0
    return [
        _INFINITE if not all_finite else None if not_zero else _ZERO
        for all_finite, not_zero in zip(
            np.logical_and.reduce(finite, axis=1), np.logical_or.reduce(some, axis=1), strict=True
        )
    ]


def _count(sources: Sequence[Vectors]) -> int:
    """Rows of all sources that can be read."""
    count = 0
    for source in sources:
        with suppress(InputError):  # reading it will say why
            count += len(source)
    return count


_WRONG = "it is missing, or no vector of {} dimensions"
_INFINITE = "the vector holds values that are missing or not finite"
_ZERO = "the vector is all zero"
