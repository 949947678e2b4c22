"""The networks of the PQ-VAE that `bench/papers.py` judges; `python -m recipes.pqvae` trains them."""
