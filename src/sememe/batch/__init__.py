"""A folder of images to an archive: in one pass, with resume, whatever lies in the folder."""

from __future__ import annotations

from .fitting import fit_images
from .inputs import Found, expand
from .report import Failure, Report
from .run import encode_paths

__all__ = ["Failure", "Found", "Report", "encode_paths", "expand", "fit_images"]
