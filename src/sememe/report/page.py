"""The page's sections, each a function from data to HTML."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

from sememe.report.data import Hit, Photo, Report, ScoredLabel, Search
from sememe.report.scatter import draw_map

_CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def render(report: Report) -> str:
    """Return the whole page as HTML text that needs nothing beside it.

    Parameters
    ----------
    report : Report
        What to show. Every photo needs fidelity and labels at each of `report.levels`.

    Returns
    -------
    str
        One HTML document: no script, no request, pictures as data URIs.
    """
    style = resources.files("sememe.report").joinpath("style.css").read_text("utf-8")
    rules = _level_rules(report.levels) + _thumbnail_rules(report)
    title = f"{_count(report)} in {_total(report)} · sememe"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_CSP}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{title}</title>\n<style>\n{style}{rules}</style>\n</head>\n<body>\n"
        f"{_header(report)}<main>\n{_switch(report)}{_photos(report)}{_searches(report)}"
        f"{draw_map(report.places)}{_archive(report)}{_sizes(report)}"
        f"</main>\n{_footer(report)}</body>\n</html>\n"
    )


_ORIGINALS = " The pictures are the originals, shown so that you can judge; they are not made from the code."


def _header(report: Report) -> str:
    originals = _ORIGINALS if any(photo.thumbnail for photo in report.photos) else ""
    rows = "".join(f"<span>{_cells(photo.code, text=False)}</span>" for photo in report.cards)
    if report.images is None:
        caption, codes = "All there is: one row a photograph, one cell a byte.", "All codes"
    else:
        caption, codes = "One row an image below, one cell a byte.", "Codes of the images below"
    return (
        "<header>\n<p class='brand'>sememe · an image&rsquo;s meaning in a few bytes</p>\n"
        f"<h1>{_count(report)}, <em>{_total(report)}</em></h1>\n"
        f"<p class='lead'>Each picture below became {report.levels[-1]} bytes with the profile "
        f"<b>{escape(report.profile_id)}</b>. Every label and every search result on this page was computed "
        f"from those bytes alone.{originals}</p>\n"
        f"<div class='weave' role='img' aria-label='{codes}, one row a photograph'>{rows}</div>\n"
        f"<p class='caption'>{caption}</p>\n</header>\n"
    )


def _switch(report: Report) -> str:
    options = "".join(
        f"<input type='radio' name='level' id='level-{n}'{' checked' if n == report.levels[-1] else ''}>"
        f"<label for='level-{n}'>{n}<span class='unit'> bytes</span></label>"
        for n in report.levels
    )
    return f"<fieldset class='switch'><legend>Keep of each code</legend><div>{options}</div></fieldset>\n"


def _photos(report: Report) -> str:
    cards = "".join(_card(photo, report) for photo in report.cards)
    chosen = f" Labels are chosen among {len(report.candidates)} words." if report.candidates else ""
    return (
        "<section aria-labelledby='photos'>\n<h2 id='photos'>What the bytes still say</h2>\n"
        f"<p>Switch between {_list(report.levels)} bytes above: a shorter code is the front of a longer one, "
        f"nothing is encoded again.{chosen}</p>\n<div class='cards'>{cards}</div>\n</section>\n"
    )


def _card(photo: Photo, report: Report) -> str:
    name = escape(photo.name)
    meanings = "".join(_meaning(photo, n, report.reference) for n in report.levels)
    shown = (
        f"<img src='{_data_uri(photo)}' alt='The original photograph: {name}'>\n" if photo.thumbnail else ""
    )
    pixels = f"{photo.width} &times; {photo.height} pixels" if photo.pixels else ""
    return (
        f"<article class='card'>\n{shown}"
        f"<div class='body'><h3>{name}</h3><p class='facts'>{pixels}</p>\n"
        f"<p class='code' role='img' aria-label='Code: {photo.code.hex(' ')}'>"
        f"{_cells(photo.code, text=True)}</p>\n{meanings}</div>\n</article>\n"
    )


def _meaning(photo: Photo, level: int, reference: str) -> str:
    pixels = photo.pixels
    rate = f"{8 * level / pixels:.2g} bits per pixel ({pixels:,} pixels)" if pixels else ""
    cosine = photo.fidelity[level]
    labels = "".join(_label(label) for label in photo.labels[level])
    return (
        f"<div class='at at-{level}'><p class='level-name'>{level} bytes</p>\n"
        f"<ol class='labels'>{labels}</ol>\n"
        f"<p class='kept'><span class='bar' style='--v:{max(cosine, 0):.3f}'></span>"
        f"<span>cosine to {escape(reference)} <b>{cosine:.3f}</b></span></p>"
        f"<p class='facts'>{rate}</p></div>\n"
    )


def _label(label: ScoredLabel) -> str:
    return (
        f"<li class='{escape(label.strength)}'><span class='word'>{escape(label.text)}</span>"
        f"<span class='bar' style='--v:{label.score:.3f}'></span>{_strength(label)}</li>"
    )


def _searches(report: Report) -> str:
    if not report.searches:
        return ""
    body = "".join(_search(search, report) for search in report.searches)
    return (
        "<section aria-labelledby='searches'>\n<h2 id='searches'>Searches over the codes</h2>\n"
        f"<div class='queries'>{body}</div></section>\n"
    )


def _search(search: Search, report: Report) -> str:
    lists = "".join(_ranking(search, report, level) for level in report.levels)
    return f"<div class='search'><h3>&ldquo;{escape(search.query)}&rdquo;</h3>{lists}</div>\n"


def _ranking(search: Search, report: Report, level: int) -> str:
    items = []
    doubtful = False
    for hit in search.hits[level]:
        photo = report.photos[hit.photo]
        if hit.strength == "none" and not doubtful:
            doubtful = True
            items.append("<li class='below'>probably no match from here on</li>")
        name = escape(photo.name)
        thumb = f"<span class='thumb t{hit.photo}'></span>" if photo.thumbnail else ""
        items.append(
            f"<li class='{escape(hit.strength)}'>{thumb}<span class='word'>{name}</span>{_strength(hit)}</li>"
        )
    return (
        f"<div class='at at-{level}'><p class='level-name'>{level} bytes</p>"
        f"<ol class='hits'>{''.join(items)}</ol></div>"
    )


def _strength(scored: ScoredLabel | Hit) -> str:
    return f"<span class='strength'>{escape(scored.strength)} {scored.score:.2f}</span>"


def _archive(report: Report) -> str:
    """How much the whole archive takes, at each length."""
    if report.sizes is None:
        return ""
    rows = [(f"codes of {n} bytes", n * report.total) for n in report.levels]
    rows.append(("the archive's file, with names and checksums", report.sizes.file))
    if report.sizes.originals is not None:
        about = "" if report.sizes.exact else ", about"
        rows.append((f"the originals{about}", report.sizes.originals))
    lines = "".join(f"<tr><th scope='row'>{name}</th><td>{size:,}</td></tr>" for name, size in rows)
    return (
        "<section aria-labelledby='archive'>\n<h2 id='archive'>What it takes</h2>\n<div class='scroll'>"
        f"<table><thead><tr><th scope='col'>{_count(report)}</th><th scope='col'>bytes</th></tr></thead>"
        f"<tbody>{lines}</tbody></table></div>\n</section>\n"
    )


def _sizes(report: Report) -> str:
    codecs = list(report.photos[0].rivals) if report.photos else []
    if not codecs:
        return ""
    head = "".join(f"<th scope='col'>{escape(codec)}</th>" for codec in codecs)
    rows = "".join(_size_row(photo, codecs, report.levels[-1]) for photo in report.photos)
    return (
        "<section aria-labelledby='sizes'>\n<h2 id='sizes'>Beside picture codecs</h2>\n"
        "<p>Bytes of the smallest file each codec makes of the whole picture at its lowest quality; below it "
        "those of a thumbnail 32 pixels wide. A picture file can be looked at and a code cannot: this "
        "compares sizes, not purposes.</p>\n<div class='scroll'><table><thead><tr>"
        f"<th scope='col'>photograph</th><th scope='col'>sememe</th>{head}</tr></thead>\n"
        f"<tbody>{rows}</tbody></table></div>\n</section>\n"
    )


def _size_row(photo: Photo, codecs: Sequence[str], kept: int) -> str:
    small = {codec: f"<small>{photo.thumbnails[codec]:,}</small>" for codec in photo.thumbnails}
    cells = "".join(f"<td>{photo.rivals[codec]:,}{small.get(codec, '')}</td>" for codec in codecs)
    return f"<tr><th scope='row'>{escape(photo.name)}</th><td class='ours'>{kept}</td>{cells}</tr>"


def _footer(report: Report) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
    words = (
        f"<details><summary>The {len(report.candidates)} words offered as labels</summary>"
        f"<p>{escape(', '.join(report.candidates))}</p></details>\n"
    )
    return (
        "<footer>\n"
        + (f"<h2>What to keep in mind</h2>\n<ul>{notes}</ul>\n" if notes else "")
        + (words if report.candidates else "")
        + f"<p>Made by sememe {escape(report.version)}. This page runs no script and loads nothing from "
        "elsewhere.</p>\n</footer>\n"
    )


def _cells(code: bytes, *, text: bool) -> str:
    return "".join(f"<i style='--h:{b * 360 // 256}'>{format(b, '02x') if text else ''}</i>" for b in code)


def _level_rules(levels: Sequence[int]) -> str:
    """Show what belongs to the chosen length only, and grey out the bytes beyond it: no script needed."""
    rules = []
    for level in levels:
        chosen = f"body:has(#level-{level}:checked)"
        rules += [f"{chosen} .at-{other}{{display:none}}\n" for other in levels if other != level]
        rules.append(f"{chosen} :is(.code,.weave span) i:nth-child(n+{level + 1}){{opacity:.13}}\n")
    return "".join(rules) + "@supports selector(body:has(a)){.level-name{display:none}}\n"


def _thumbnail_rules(report: Report) -> str:
    if not report.searches:
        return ""
    return "".join(
        f".t{i}{{background-image:url({_data_uri(photo)})}}\n"
        for i, photo in enumerate(report.photos)
        if photo.thumbnail
    )


def _data_uri(photo: Photo) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(photo.thumbnail or b'').decode('ascii')}"


def _total(report: Report) -> str:
    return _plural(report.levels[-1] * report.total, "byte")


def _count(report: Report) -> str:
    return _plural(report.total, "photograph" if report.images is None else "image")


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _list(values: Iterable[int]) -> str:
    *head, last = [str(value) for value in values]
    return f"{', '.join(head)} and {last}" if head else last
