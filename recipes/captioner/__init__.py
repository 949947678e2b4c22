"""Training of ClipCap's mapping network; `python -m recipes.captioner` does it."""
