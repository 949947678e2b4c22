"""Rate against meaning: any coder, any vectors, real bytes, one harness."""
