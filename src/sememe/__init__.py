"""An image's meaning in 16 bytes. Keep it, send it, search it, classify it: from those bytes alone."""

__version__ = "0.1.0"
