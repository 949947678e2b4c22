"""Placeholder while wiring."""

NAME = "demo"
SUMMARY = "x"
EXAMPLE = "sememe demo"


def add_arguments(parser): ...


def run(args, out): return 0
