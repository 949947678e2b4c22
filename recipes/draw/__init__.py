"""Rebuild the generator `draw`: ``python -m recipes.draw --shared ../shared/data --cache CACHE``."""
