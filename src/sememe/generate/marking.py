"""Every generated picture says that it is one, from how many bytes, and how to make it again.

Three ways at once, so that one survives most handling: a JSON text in the PNG or in EXIF, a sentence in
EXIF's description, and XMP with IPTC's digital source type, by which other programs tell generated pictures
from photographs. The caption under the pixels is drawn by `generate.sheet`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import sememe
from sememe.disk import Target, writing
from sememe.errors import IntegrityError, UnreadableImageError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FORMATS", "Mark", "format_of", "read_marks", "save"]

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""What generated pictures are written as, by the end of the name."""

_KEY = "sememe"
_DESCRIPTION, _SOFTWARE, _EXIF, _COMMENT = 0x010E, 0x0131, 0x8769, 0x9286  # EXIF 2.32, tables 4 and 7
_ASCII = b"ASCII\0\0\0"
_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><ext:DigitalSourceType>{source}</ext:DigitalSourceType>'
    '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{sentence}</rdf:li></rdf:Alt></dc:description>'
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What a generated picture says of itself."""

    nbytes: int
    """Length of the code that it was generated from."""
    profile: str
    generator: str
    seed: int
    steps: int | None = None
    """Denoising steps; None for the generator's default."""
    fidelity: float | None = None
    """Cosine of the code with the vector of the original, where it was known."""
    code: str | None = None
    """The code in hexadecimal digits: with it and the seed the picture can be drawn again."""

    @property
    def sentence(self) -> str:
        """Say it in words: ``generated from 16 bytes, profile nano, seed 0``."""
        unit = "byte" if self.nbytes == 1 else "bytes"
        return f"generated from {self.nbytes} {unit}, profile {self.profile}, seed {self.seed}"

    def to_json(self) -> dict[str, Any]:
        """Return the fields by their names."""
        return asdict(self)


def format_of(target: str | Path) -> str:
    """Name of the format that a file name asks for.

    Raises
    ------
    UsageError
        It does not end in one of `FORMATS`.
    """
    found = FORMATS.get(Path(target).suffix.lower())
    if found is None:
        raise UsageError(f"{target}: pictures are written as {', '.join(FORMATS)}")
    return found


def save(image: Image, target: Target, marks: Sequence[Mark], *, form: str | None = None) -> None:
    """Write a generated picture with its marks.

    Parameters
    ----------
    image : Image
        RGB, with its caption if it is to have one.
    target : str, Path or binary file
        A path is written whole or not at all.
    marks : sequence of Mark
        One for each generated picture that it shows.
    form : {"PNG", "JPEG", "WEBP"}, optional
        By the end of the name if not given.

    Raises
    ------
    UsageError
        The name ends in none of `FORMATS`.
    StorageError
        The target cannot be written (ReadOnlyError, DiskFullError).
    """
    if form is None:
        form = format_of(target) if isinstance(target, str | Path) else "PNG"
    buffer = io.BytesIO()
    image.save(buffer, form, **_metadata(form, marks))
    with writing(target) as file:
        file.write(buffer.getvalue())


def read_marks(source: str | Path | bytes) -> list[Mark]:
    """Read the marks of a picture; an empty list if it has none.

    A picture without marks may be generated all the same: metadata are easily lost.

    Raises
    ------
    UnreadableImageError
        It is no picture.
    IntegrityError
        It has a mark that cannot be read.
    """
    from PIL import Image

    name = "the picture" if isinstance(source, bytes) else str(source)
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            text = image.info.get(_KEY) or _comment(image)
    except Exception as exc:  # each reader of metadata has its own set of errors for damaged pictures
        raise UnreadableImageError(f"{name}: not a picture that can be read ({exc})") from exc
    if text is None:
        return []
    try:
        return [Mark(**fields) for fields in json.loads(text)["generated"]]
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise IntegrityError(f"{name}: its mark is damaged or of a newer version; update sememe") from exc


def _metadata(form: str, marks: Sequence[Mark]) -> dict[str, Any]:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    text = json.dumps({"generated": [mark.to_json() for mark in marks]})
    sentence = "; ".join(dict.fromkeys(f"{mark.sentence}, by {mark.generator}" for mark in marks))
    software = f"sememe {sememe.__version__}"
    exif = Image.Exif()
    exif[_DESCRIPTION] = sentence.encode("ascii", "replace").decode()
    exif[_SOFTWARE] = software
    exif.get_ifd(_EXIF)[_COMMENT] = _ASCII + text.encode("ascii")
    xmp = _XMP.format(source=_SOURCE, sentence=escape(sentence))
    if form != "PNG":
        return {"exif": exif, "xmp": xmp.encode(), "quality": 95}
    chunks = PngInfo()
    chunks.add_itxt("Description", sentence)
    chunks.add_text("Software", software)
    chunks.add_text(_KEY, text)
    chunks.add_itxt("XML:com.adobe.xmp", xmp)
    return {"exif": exif, "pnginfo": chunks}


def _comment(image: Image) -> str | None:
    """Our JSON in EXIF's user comment; None if it is not there, or another program's."""
    value = image.getexif().get_ifd(_EXIF).get(_COMMENT)
    if not isinstance(value, bytes) or not value.startswith(_ASCII + b'{"generated"'):
        return None
    return value.removeprefix(_ASCII).decode("ascii", "replace")
