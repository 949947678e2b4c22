"""Placeholder while wiring."""

NAME = "decode"
SUMMARY = "x"
EXAMPLE = "sememe decode"


def add_arguments(parser): ...


def run(args, out): return 0
