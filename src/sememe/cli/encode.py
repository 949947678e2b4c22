"""Placeholder while wiring."""

NAME = "encode"
SUMMARY = "x"
EXAMPLE = "sememe encode"


def add_arguments(parser): ...


def run(args, out): return 0
