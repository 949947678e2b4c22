"""`Codec`: a coder, and everything that can be asked of the bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sememe import index
from sememe.api.coder import Coder
from sememe.api.explaining import explain
from sememe.api.inputs import ImageLike
from sememe.api.queries import QueryLike, make_query
from sememe.api.regions import Boxes, encode_regions, find
from sememe.api.results import Explanation
from sememe.api.sources import CodesLike, Source, read_source
from sememe.bitstream import Record
from sememe.index import Hit
from sememe.regions import Finding
from sememe.zeroshot import TEMPLATE, Prediction


class Codec(Coder):
    """The whole path: `Coder` turns images into bytes and back, and this asks the bytes what they mean."""

    def read(self, codes: CodesLike) -> Source:
        """Read codes once, to ask them many things: an archive of a million takes a moment to load.

        Parameters
        ----------
        codes : see `decode`
        """
        return read_source(codes, self.profile)

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
        source = self.read(codes)
        classifier = self.space.classifier(labels, template)
        return [p for rows in index.chunks(len(source)) for p in classifier.classify(source[rows])]

    def search(
        self,
        codes: CodesLike,
        query: QueryLike,
        *,
        k: int = 10,
        exact: bool = False,
        tell: index.Tell | None = None,
    ) -> list[Hit]:
        """Find the k codes that match a query best.

        An archive of 20,000 images or more is first searched coarsely, with what lies in the cache beside it;
        the first search makes that, in about a minute for a million images.

        Parameters
        ----------
        codes : see `decode`
        query : str, sequence of str, image or vector
            Text, paths of pictures and `.sem` files, put together with + and - (see `index.parse_query`); a
            Pillow image; or a picture vector (d,).
        k : int
        exact : bool
            Compare with every code, however many there are.
        tell : callable, optional
            Told (done, total) while the cache of a large archive is made.

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
        source = self.read(codes)
        prepared, background = make_query(query, self.space)
        shortlist = None if exact else source.shortlist(background, tell)
        hits = index.search(prepared, source, background, k=k, shortlist=shortlist)
        return [hit.at(source.names[hit.row]) for hit in hits]

    def encode_regions(
        self,
        image: ImageLike,
        *,
        regions: int = 6,
        region_bytes: int | None = None,
        nbytes: int | None = None,
        boxes: Boxes | None = None,
    ) -> Record:
        """Turn one image into a record that holds codes of its regions too; each window costs one embedding.

        Parameters
        ----------
        image : ImageLike
        regions : int
            Regions at most.
        region_bytes : int, optional
            Bytes that they and the aspect ratio add to a `.sem` file, spent where they explain most; 16 times
            `regions` if not given.
        nbytes : int, optional
            Length of the whole picture's code; the codec's own if not given.
        boxes : path or rows, optional
            Where to look: a file as `regions.read_boxes` takes it, or rows of left, top, right and bottom in
            pixels. Square windows of several sizes if not given.

        Returns
        -------
        Record
            Ready for `write_sem` and `find`.

        Raises
        ------
        InputError
            The image or the boxes cannot be used.
        UsageError
            A number is out of range.
        """
        return encode_regions(
            self, image, regions=regions, region_bytes=region_bytes, nbytes=nbytes, boxes=boxes
        )

    def find(self, item: Record | str | Path, texts: str | Sequence[str]) -> list[Finding]:
        """Point at what texts name, among the regions of one record.

        Parameters
        ----------
        item : Record, or path of a `.sem` file
            With regions, as `encode_regions` makes it.
        texts : str or sequence of q str
            Each a query as in `search`.

        Returns
        -------
        list of q Finding
            Boxes, best first, each with its strength.

        Raises
        ------
        InputError
            The record holds no regions, or cannot be read.
        ProfileMismatchError
            Made with another profile.
        """
        return find(self, item, texts)

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
