"""Placeholder while wiring."""

NAME = "classify"
SUMMARY = "x"
EXAMPLE = "sememe classify"


def add_arguments(parser): ...


def run(args, out): return 0
