"""The leaflet as one HTML page in large print: nothing loaded from elsewhere, readable on a phone, in print, and by a screen reader."""

from __future__ import annotations

from html import escape

from ivigil.rendering.leaflet import Leaflet
from ivigil.rendering.leaflet_parts import Part

LEAFLET_STYLE = """
:root { color-scheme: light; }
body { font: 1.25rem/1.55 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .3rem; } h2 { font-size: 1.45rem; margin: 1.8rem 0 .4rem; border-bottom: 3px solid #1d4f73; }
.surface { border: 2px solid #1d4f73; color: #1d4f73; display: inline-block; font-size: 1rem; font-weight: 700; padding: .1rem .6rem; }
.draft { background: #fff3d6; border-left: .5rem solid #8a5a00; padding: .6rem 1rem; font-weight: 700; }
.alarm { background: #fdecec; border-left: .5rem solid #9b1c1c; padding: .6rem 1rem; margin: 1rem 0; } .alarm h2 { border: 0; margin: .2rem 0; color: #7d1414; }
.alarm ul { margin: .2rem 0 .4rem; padding-left: 1.3rem; }
table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid #767676; padding: .35rem .6rem .35rem 0; text-align: left; }
th, td { vertical-align: top; }
tbody th { font-weight: 600; width: 40%; } td { font-weight: 500; }
footer { margin-top: 2rem; font-size: 1rem; color: #3a3a3a; border-top: 3px solid #1d4f73; } .code svg { width: 7rem; height: 7rem; } figure { margin: 0; }
figure svg { width: 100%; height: auto; }
@media print { body { font-size: 15pt; max-width: none; padding: 0; } section, tr, .alarm { break-inside: avoid; } h2 { break-after: avoid; } }
"""


def leaflet_html(leaflet: Leaflet, *, link: str = "", code: str = "") -> str:
    """A whole page. ``code`` is the SVG of a QR code that leads to ``link``, made by ivigil.

    Every text of the record and the evidence is escaped, so it never becomes markup.
    """
    body = leaflet_fragment(leaflet, link=link, code=code)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{escape(leaflet.title)}</title>\n<style>{LEAFLET_STYLE}</style>\n</head>\n<body>\n<main>\n{body}"
        "</main>\n</body>\n</html>\n"
    )


def leaflet_fragment(leaflet: Leaflet, *, link: str = "", code: str = "") -> str:
    """The leaflet as an article to stand inside a page."""
    parts = [
        '<article class="leaflet">\n<p class="surface">Patient education</p>',
        f"<h1>{escape(leaflet.title)}</h1>\n<p>For {escape(leaflet.patient)}. {escape(leaflet.prepared)}.</p>",
    ]
    if leaflet.draft:
        parts.append(f'<p class="draft">{escape(" ".join(leaflet.draft))}</p>')
    for action, signs in leaflet.alarm:
        items = "".join(f"<li>{escape(sign)}</li>" for sign in signs)
        parts.append(f'<section class="alarm"><h2>{escape(action)}</h2><ul>{items}</ul></section>')
    parts += [_part(part) for part in leaflet.parts]
    foot = "".join(f"<p>{escape(sentence)}</p>" for sentence in leaflet.foot)
    if link:
        foot = f'<p>This page: <span class="link">{escape(link)}</span></p>{f"""<p class="code">{code}</p>""" if code else ""}{foot}'
    return "\n".join([*parts, f"<footer>{foot}</footer>\n</article>\n"])


def _part(part: Part) -> str:
    said = f"<p>{escape(' '.join(part.sentences))}</p>" if part.sentences else ""
    figure = f"<figure>{part.picture}</figure>" if part.picture else ""
    return f'<section id="leaflet-{part.id}"><h2>{escape(part.title)}</h2>{said}{figure}{_table(part)}</section>'


def _table(part: Part) -> str:
    if not part.rows:
        return ""
    if len(part.rows[0]) == 1:
        return f"<ul>{''.join(f'<li>{escape(row[0])}</li>' for row in part.rows)}</ul>"
    head = f"<thead><tr>{''.join(f'<th scope=col>{escape(name)}</th>' for name in part.heads)}</tr></thead>" if part.heads else ""
    body = "".join(f"<tr><th scope=row>{escape(row[0])}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in row[1:])}</tr>" for row in part.rows)
    return f"<table>{head}<tbody>{body}</tbody></table>"
