"""Rebuild the built-in generator, `draw`: ``python -m recipes.draw --cache CACHE --nano-cache NANO``."""
