"""A report as one HTML page that needs nothing beside it: tables, and every plot as inline SVG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from math import inf

from sememe.evaluate.curves import METRICS, chart, metrics_of
from sememe.evaluate.judge import FIGURES
from sememe.evaluate.plot import draw
from sememe.evaluate.report import Report, Section, measured
from sememe.evaluate.tables import figures_table, html, needed_table

__all__ = ["page"]

_CSP = "default-src 'none'; style-src 'unsafe-inline'"
_CSS = """
:root { color-scheme: light; --ink: #1d1b18; --soft: #5b574f; --line: #e3ded2; --accent: #a33b00; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 2rem 1.25rem 4rem; background: #faf8f3; color: var(--ink);
  font: 1rem/1.55 ui-sans-serif, system-ui, sans-serif; }
h1 { margin: 0; font-size: clamp(1.9rem, 5vw, 3rem); line-height: 1.1; letter-spacing: -.02em; }
h2 { margin: 3rem 0 .2rem; font-size: 1.6rem; }
h3 { margin: 2rem 0 .4rem; }
p, li { max-width: 48rem; color: var(--soft); }
code { overflow-wrap: anywhere; }
figure { margin: 1rem 0; padding: .5rem; background: #fff; border: 1px solid var(--line);
  border-radius: 12px; }
figure svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th { color: var(--soft); white-space: normal; vertical-align: bottom; max-width: 9rem; }
.figures th:nth-child(2), .figures td:nth-child(2), .needed th:first-child, .needed td:first-child {
  text-align: left; }
.ours td { font-weight: 700; color: var(--accent); }
"""


def page(report: Report, which: str = "all", metrics: Sequence[str] = METRICS, most: float = inf) -> str:
    """Return the page as HTML text.

    Parameters
    ----------
    report
        With at least one row that has figures.
    which
        "all" test vectors of each trial, or their "mean" over sets.
    metrics
        Figures to plot, where a trial has them.
    most
        Points at more bytes than this are not plotted; the tables have them.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    sections = [section for section in report.sections if measured(section)]
    body = "".join(_section(i, section, which, metrics, most) for i, section in enumerate(sections))
    here = report.machine
    made = f"{here['cpu']}, {here['cores']} cores, {here['threads']} thread, numpy {here['numpy']}"
    words = "".join(f"<li><b>{escape(key)}</b>: {escape(what)}</li>" for key, what in FIGURES.items())
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_CSP}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Rate against meaning · sememe</title>\n<style>{_CSS}</style>\n</head>\n<body>\n"
        "<h1>Rate against meaning</h1>\n<p>What is left of picture vectors after real bytes: every coder "
        "learnt from the same vectors and was judged on the same others. Lengths are those of messages that "
        "decode, each alone.</p>\n"
        f"{body}<h2>What the figures are</h2>\n<ul>{words}</ul>\n"
        f"<p>Measured on {escape(made)}, {escape(here['date'])}. Speed is vectors per second of processor "
        "time on that machine.</p>\n</body>\n</html>\n"
    )


def _section(number: int, section: Section, which: str, metrics: Sequence[str], most: float) -> str:
    counts = section["counts"]
    plots = "".join(
        f"<figure>{_inline(draw(chart(section, metric, which, most)), f's{number}-{metric}')}</figure>\n"
        for metric in metrics
        if metric in metrics_of(section, which)
    )
    failed = "".join(
        f"<li>{escape(row['title'])}: {escape(row['error'])}</li>" for row in section["rows"] if row["error"]
    )
    return (
        f"<h2>{escape(section['name'])}</h2>\n"
        f"<p>{counts['test']:,} test vectors of {section['dim']} dimensions, {counts['queries']:,} queries, "
        f"{counts['train']:,} vectors to learn from. Seeds: {', '.join(map(str, section['seeds']))}. "
        f"Trial: <code>{section['digest']}</code></p>\n{plots}"
        f"<h3>All figures</h3>\n<div class='scroll figures'>{html(figures_table(section, which))}</div>\n"
        f"<h3>Bytes needed</h3>\n<div class='scroll needed'>{html(needed_table(section, which))}</div>\n"
        "<p>Between two measured rates figures are taken to run straight over the logarithm of the bytes. "
        "≤: the lowest rate measured is enough. –: no rate measured is.</p>\n"
        + (f"<h3>Not measured</h3>\n<ul>{failed}</ul>\n" if failed else "")
    )


def _inline(svg: bytes, prefix: str) -> str:
    """Cut an SVG file down to its element, with names that no other figure on the page has."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    return re.sub(r"(url\(|href=\")#", rf"\1#{prefix}-", text)
