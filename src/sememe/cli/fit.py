"""Placeholder while wiring."""

NAME = "fit"
SUMMARY = "x"
EXAMPLE = "sememe fit"


def add_arguments(parser): ...


def run(args, out): return 0
