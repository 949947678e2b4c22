"""A report as one self-contained HTML page: pure, from data to text.

The page carries its pictures and style inside, runs no script and asks the network for nothing (its own
content security policy forbids it). `render` is the whole interface; the classes are what it shows.
"""

from sememe.report.data import Hit, Photo, Place, Report, ScoredLabel, Search, Sizes
from sememe.report.page import render

__all__ = ["Hit", "Photo", "Place", "Report", "ScoredLabel", "Search", "Sizes", "render"]
