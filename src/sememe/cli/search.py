"""Placeholder while wiring."""

NAME = "search"
SUMMARY = "x"
EXAMPLE = "sememe search"


def add_arguments(parser): ...


def run(args, out): return 0
