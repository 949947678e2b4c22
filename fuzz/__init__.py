"""Fuzzing of every parser: targets, mutations that know the formats, and bounds that no input may break."""
