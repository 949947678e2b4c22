"""Placeholder while wiring."""

NAME = "truncate"
SUMMARY = "x"
EXAMPLE = "sememe truncate"


def add_arguments(parser): ...


def run(args, out): return 0
