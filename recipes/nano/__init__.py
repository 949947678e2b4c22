"""Rebuild `nano`, the built-in backbone: ``python -m recipes.nano --shared ../shared/data --cache CACHE``."""
