"""A folder of images to an archive: in one pass, with resume, whatever lies in the folder."""

from __future__ import annotations

from sememe.batch.fitting import fit_images, own_from_images
from sememe.batch.inputs import Found, expand
from sememe.batch.report import Failure, Report
from sememe.batch.run import encode_paths

__all__ = ["Failure", "Found", "Report", "encode_paths", "expand", "fit_images", "own_from_images"]
