"""Placeholder while wiring."""

NAME = "explain"
SUMMARY = "x"
EXAMPLE = "sememe explain"


def add_arguments(parser): ...


def run(args, out): return 0
