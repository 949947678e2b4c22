"""`Codec`: a coder, and everything that can be asked of the bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sememe import index
from sememe.api.coder import Coder
from sememe.api.explaining import explain
from sememe.api.inputs import ImageLike
from sememe.api.queries import QueryLike, make_query
from sememe.api.results import Explanation
from sememe.api.sources import CodesLike, read_source
from sememe.bitstream import Record
from sememe.index import Hit
from sememe.zeroshot import TEMPLATE, Prediction


class Codec(Coder):
    """The whole path: `Coder` turns images into bytes and back, and this asks the bytes what they mean."""

    def similarity(self, query: NDArray[np.floating], codes: CodesLike) -> NDArray[np.float32]:
        """Plain cosines of a float query (d,) or (q, d) with n codes: (n,) or (q, n) float32.

        For "does it match" use `search` or `classify`: a plain cosine says little on its own.
        """
        unit = np.asarray(query, np.float32)
        unit = unit / np.linalg.norm(unit, axis=-1, keepdims=True)
        cosines: NDArray[np.float32] = (unit @ self.decode(codes).T).astype(np.float32)
        return cosines

    def classify(
        self, codes: CodesLike, labels: str | Iterable[str], *, template: str | Sequence[str] = TEMPLATE
    ) -> list[Prediction]:
        """Say which label fits each code best, how likely, how strongly, and whether any does.

        Parameters
        ----------
        codes : see `decode`
        labels : str or iterable of str
            Labels, labels between commas, or the path of a file with one a line.
        template : str or sequence of str
            Sentence around a label, which goes where it says ``{}``; several are averaged.

        Returns
        -------
        list of n Prediction
        """
        source = read_source(codes, self.profile)
        classifier = self.space.classifier(labels, template)
        return [p for rows in index.chunks(len(source)) for p in classifier.classify(source[rows])]

    def search(self, codes: CodesLike, query: QueryLike, *, k: int = 10) -> list[Hit]:
        """Find the k codes that match a query best.

        Parameters
        ----------
        codes : see `decode`
        query : str, sequence of str, image or vector
            Text, paths of pictures and `.sem` files, put together with + and - (see `index.parse_query`); a
            Pillow image; or a picture vector (d,).
        k : int

        Returns
        -------
        list of Hit
            Best first; each says how strong it is, and a weak best hit means that nothing matches.

        Raises
        ------
        UsageError
            The query makes no sense, or `k` is not positive.
        InputError
            A picture of the query cannot be read.
        """
        source = read_source(codes, self.profile)
        prepared, background = make_query(query, self.space)
        return [hit.at(source.names[hit.row]) for hit in index.search(prepared, source, background, k=k)]

    def explain(
        self,
        item: ImageLike | Record,
        labels: str | Iterable[str] | None = None,
        *,
        against: ImageLike | None = None,
        rates: Sequence[int] = (4, 8, 16, 32),
        template: str | Sequence[str] = TEMPLATE,
    ) -> Explanation:
        """Say what survives of an image at several lengths.

        Parameters
        ----------
        item : image, Record, or path of a `.sem` file
            An image is embedded and encoded here; a record is taken as it is.
        labels : as in `classify`
            Everyday words if not given.
        against : image, optional
            The original of a record, to compare with.
        rates : sequence of int
            Lengths in bytes; those longer than a record are left out, its own is always there.
        template : as in `classify`

        Returns
        -------
        Explanation
        """
        return explain(self, item, labels, against=against, rates=rates, template=template)
