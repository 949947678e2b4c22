"""What other tools or `export` wrote, into an archive: a part at a time, resumed until it is whole."""

from __future__ import annotations

from sememe.batch.importing.archives import import_exports, read_origin
from sememe.batch.importing.finding import find_vectors, is_export
from sememe.batch.importing.rows import Vectors
from sememe.batch.importing.vectors import import_vectors

__all__ = ["Vectors", "find_vectors", "import_exports", "import_vectors", "is_export", "read_origin"]
