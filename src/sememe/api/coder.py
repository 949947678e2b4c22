"""`Coder`: images and vectors in, bytes out, and back to vectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sememe.api.coding import code_rows, slope_of, spread
from sememe.api.inputs import ImageLike, Opened, batches
from sememe.api.maintain import open_archive
from sememe.api.results import Encoded
from sememe.api.sources import CodesLike, read_source
from sememe.api.space import Space
from sememe.archive import Archive
from sememe.bitstream import Extension, Record, Tag, pixel_size
from sememe.errors import UsageError
from sememe.metrics import fidelity_to_byte
from sememe.profile import Profile
from sememe.types import Codes, Embeddings

if TYPE_CHECKING:
    from sememe.types import Backbone

OnError = Literal["raise", "record"]


class Coder:
    """A profile and its backbone: the path from a picture to bytes, and back to a vector.

    Parameters
    ----------
    profile : Profile
    nbytes : int
        Length of a code unless a call says otherwise.
    backbone : Backbone, optional
        Embeds images and texts; the one that the profile names, loaded on first use, if not given. Decoding
        and searching by code need none.
    threads : int
        Threads of one image inference.
    device : str
        Where the backbone runs: see `backbones.load`.

    Raises
    ------
    UsageError
        `nbytes` is not a length of the profile's codes.
    ProfileMismatchError
        `backbone` embeds into another space.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        nbytes: int = 16,
        backbone: Backbone | None = None,
        threads: int = 1,
        device: str = "auto",
    ) -> None:
        self.profile = profile
        self.nbytes = self._length(nbytes)
        self.space = Space(profile, backbone=backbone, threads=threads, device=device)

    def __repr__(self) -> str:
        mark = self.profile.fingerprint.hex()[:8]
        return f"<{type(self).__name__} {self.profile.profile_id} {mark} {self.nbytes} B>"

    @property
    def backbone(self) -> Backbone:
        """The image-text model, loaded on first use (ModelUnavailableError if it is not here)."""
        return self.space.backbone

    def encode(
        self,
        images: ImageLike | Iterable[ImageLike],
        *,
        nbytes: int | None = None,
        min_cosine: float | None = None,
        mean_bytes: float | None = None,
        batch_size: int = 32,
        on_error: OnError = "raise",
    ) -> Encoded:
        """Turn images into codes.

        Parameters
        ----------
        images : image or iterable of n images
            Paths, bytes of image files, Pillow images, uint8 arrays (h, w, 3), mixed as you like.
        nbytes : int, optional
            Length of each code; the codec's own if not given. With `min_cosine` the longest allowed.
        min_cosine : float, optional
            Spend bytes on each image until its cosine reaches this, at most `nbytes` or all the profile can.
        mean_bytes : float, optional
            Spend this many bytes an image on average, more on images that need more; `nbytes` as above.
        batch_size : int
            Images in memory at once.
        on_error : {"raise", "record"}
            Whether an image that cannot be read ends the call, or becomes a row with an error.

        Returns
        -------
        Encoded
            n codes, in the order of `images`.

        Raises
        ------
        InputError
            An image cannot be used, and `on_error` is "raise".
        UsageError
            A parameter is out of range.
        ModelUnavailableError
            The weights of the backbone are not on this machine.
        """
        ceiling = self._ceiling(nbytes, min_cosine or mean_bytes)
        opened, vectors = self._embed(images, batch_size, on_error)
        coded = code_rows(self.profile, vectors, ceiling, min_cosine=min_cosine, mean_bytes=mean_bytes)
        return spread(opened, coded)

    def encode_vectors(
        self,
        x: NDArray[np.floating],
        *,
        nbytes: int | None = None,
        min_cosine: float | None = None,
        mean_bytes: float | None = None,
        slope: float | None = None,
    ) -> Encoded:
        """Turn vectors (n, d) of the profile's space into codes; parameters and result as in `encode`.

        With `slope`, each code gets bytes, up to `nbytes`, as long as one of them saves this much error.

        Raises
        ------
        VectorError
            `x` has another shape, or a row is not finite or all zero.
        UsageError
            A parameter is out of range.
        """
        ceiling = self._ceiling(nbytes, min_cosine or mean_bytes)
        coded = code_rows(self.profile, x, ceiling, min_cosine=min_cosine, mean_bytes=mean_bytes, slope=slope)
        codes, lengths, cosines = coded
        names = tuple(f"vector {row}" for row in range(len(codes)))
        return Encoded(codes, lengths, cosines, names, (None,) * len(codes), ((0, 0),) * len(codes))

    def decode(self, codes: CodesLike) -> Embeddings:
        """Turn codes back into vectors.

        Parameters
        ----------
        codes : Encoded, uint8 (n, nbytes), bytes, Record, Archive, path, or a list of bytes or records
            Any lengths up to the profile's; a path is that of a `.sem` file or an archive.

        Returns
        -------
        (n, d) float32
            Unit rows, ready for any index or classifier that takes the backbone's own vectors.

        Raises
        ------
        ProfileMismatchError
            Made with another profile.
        UsageError, InputError, IntegrityError
            Not codes, unreadable, or damaged.
        """
        source = read_source(codes, self.profile)
        return source[:]

    def text(self, text: str) -> NDArray[np.float32]:
        """Embed a text: (d,) unit float32."""
        row: NDArray[np.float32] = self.space.embed_texts([text])[0]
        return row

    def image(self, image: ImageLike) -> NDArray[np.float32]:
        """Embed an image: (d,) unit float32. Raises InputError if it cannot be read."""
        row: NDArray[np.float32] = self._embed([image], 1, "raise")[1][0]
        return row

    def truncate(self, codes: Codes | Encoded, nbytes: int) -> Codes:
        """Cut codes (n, m) to (n, nbytes): slicing, because every prefix of a code is a code."""
        if not 1 <= nbytes <= np.shape(codes)[1]:
            raise UsageError(f"codes of {np.shape(codes)[1]} bytes cannot be cut to {nbytes}")
        return np.asarray(codes)[:, :nbytes]

    def record(
        self, code: bytes, *, cosine: float | None = None, size: tuple[int, int] | None = None
    ) -> Record:
        """Make the record of one code, ready for `write_sem`.

        Parameters
        ----------
        code : bytes
        cosine : float, optional
            Its fidelity, stored in one byte as a lower bound.
        size : (int, int), optional
            Width and height of the picture in pixels.
        """
        fields = []
        if size is not None and min(size) > 0:
            fields.append(pixel_size(*size))
        if cosine is not None and not np.isnan(cosine):
            fields.append(Extension(Tag.FIDELITY, bytes([fidelity_to_byte(float(cosine))])))
        fingerprint = b"" if self.profile.registered else self.profile.fingerprint[:4]
        return Record(self.profile.registered, fingerprint, code, tuple(fields))

    def slope(self, x: NDArray[np.floating], mean_bytes: float) -> float:
        """Error that one byte must save if codes of vectors (n, d), n > 0, should take so many on average."""
        return slope_of(self.profile, x, self.nbytes, mean_bytes)

    def open_archive(self, target: str | Path, *, mean_bytes: float | None = None) -> Archive:
        """Open an archive to add codes of this profile and length, or make it; see `batch.encode_paths`."""
        return open_archive(target, self.profile, self.nbytes, mean_bytes=mean_bytes)

    def _embed(
        self, images: ImageLike | Iterable[ImageLike], batch_size: int, on_error: OnError
    ) -> tuple[list[Opened], Embeddings]:
        """Open and embed, a batch at a time; pictures are forgotten once embedded."""
        opened: list[Opened] = []
        vectors = [np.zeros((0, self.profile.dim), np.float32)]
        for batch in batches(images, batch_size):
            inputs = [self.space.open(image, index=len(opened) + i) for i, image in enumerate(batch)]
            failed = next((one.error for one in inputs if one.error), None)
            if failed is not None and on_error == "raise":
                raise failed
            vectors.append(self.space.embed_images([one.image for one in inputs if one.image is not None]))
            opened += [Opened(one.name, None, one.size, one.error) for one in inputs]
        return opened, np.concatenate(vectors)

    def _ceiling(self, nbytes: int | None, demand: float | None) -> int:
        if nbytes is not None:
            return self._length(nbytes)
        return self.nbytes if demand is None else self.profile.max_bytes

    def _length(self, nbytes: int) -> int:
        if not 1 <= nbytes <= self.profile.max_bytes:
            raise UsageError(
                f"profile {self.profile.profile_id} makes codes of 1 to {self.profile.max_bytes} bytes, "
                f"not {nbytes}"
            )
        return nbytes
