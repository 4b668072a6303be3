"""The frame of every page: head, label, navigation, search box, and the footer with version and review."""

from __future__ import annotations

import re

from ivigil.evidence.library import Evidence
from ivigil.rendering.pages.citations import Citations
from ivigil.rendering.pages.markup import NOTHING, Markup, Part, joined, link, paragraph, section, tag
from ivigil.rendering.pages.places import KINDS, Places, root
from ivigil.rendering.pages.wording import Words

# 'self' covers the style sheet and both scripts from a web server and, in Chromium, from disk; 'file:' says the same where a browser gives pages
# from disk no origin of their own. Nothing can be embedded, sent or loaded from elsewhere.
POLICY = "default-src 'none'; style-src 'self' file:; script-src 'self' file:; base-uri 'none'; form-action 'none'"
LABEL = "Clinician reference"
MENU = (
    ("index.html", "Home"),
    ("indications/index.html", "Indications"),
    ("products/index.html", "Products"),
    ("rules/index.html", "Safety rules"),
    ("vaccine-intervals.html", "Vaccine intervals"),
    ("reactions.html", "Reactions"),
    ("monitoring.html", "Monitoring"),
    ("sources/index.html", "Sources"),
    ("index.html#topics", "All topics"),
)
PURPOSE = (
    "For qualified health professionals, who can check the basis of every statement and decide themselves. A reference, not a plan for a patient and no "
    "prescription; the label and local policy decide."
)


SECTION = re.compile(r'<section id="([^"<>]+)"><h2>([^<>]*)</h2>')
"""A section as :func:`section` writes it; its heading is already escaped."""


class Sheet:
    """What one page is written with: the words, the citations and the map, all for this page."""

    def __init__(self, places: Places, page: str, program: str = "") -> None:
        self.places = places
        self.page = page
        self.program = program
        self.words = Words(places, page)
        self.cite = Citations(self.words)
        self.stated: tuple[str, ...] = ()

    @property
    def evidence(self) -> Evidence:
        """The evidence of the site."""
        return self.places.evidence

    def local(self, entry_id: str) -> Markup:
        """The remark that an overlay added or replaced this entry, and why."""
        reason = next((said for key, said in self.evidence.local.items() if key.partition(" ")[2] == entry_id), "")
        return paragraph(tag("strong", "Local entry"), f"of the overlay {self.evidence.overlay}: {reason}", class_="warn") if reason else NOTHING

    def used_by(self, part: str, name: str) -> Markup:
        """Links to every entry that names this one, by kind."""
        kinds: dict[str, dict[str, Markup]] = {}
        for (other, other_id), _ in self.places.named_by.get((part, name), ()):
            kinds.setdefault(KINDS[other], {})[other_id] = self.words.to(other, other_id)
        rows = [tag("li", f"{kind}: ", joined(found.values(), ", ")) for kind, found in kinds.items()]
        return tag("ul", Markup("\n".join(rows))) if rows else NOTHING

    def html(self, kind: str, title: str, *parts: Part) -> str:
        """The whole page: :meth:`content` in :meth:`framed`."""
        return self.framed(title, self.content(kind, title, *parts))

    def content(self, kind: str, title: str, *parts: Part) -> Markup:
        """What stands between header and footer. References come last, since they count what the parts before them cite."""
        body = joined(parts)
        references = self.cite.references()
        verdicts = section("Review of the statements", self.cite.verdicts(), anchor="review") if self.cite.numbers else NOTHING
        contents = SECTION.findall(body)
        jump = tag(
            "nav", tag("p", joined((link(f"#{anchor}", Markup(name)) for anchor, name in contents), " | ")), aria_label="On this page", class_="jump"
        )
        return Markup(f'{paragraph(kind, class_="kind")}{tag("h1", title)}\n{jump if len(contents) > 3 else ""}{body}{references}{verdicts}')

    def framed(self, title: str, content: Markup) -> str:
        """The document around the content: head, navigation, search box, footer."""
        way, evidence = root(self.page), self.evidence
        menu = joined(tag("li", link(f"{way}{target}", name)) for target, name in MENU)
        overlay = f" with overlay {evidence.overlay}" if evidence.overlay else ""
        by = f", ivigil {self.program}" if self.program else ""
        head = joined(
            (
                tag("title", f"{title} - ivigil reference"),
                Markup(f'<link rel="stylesheet" href="{way}style.css">\n<script src="{way}search.js" defer></script>'),
            ),
            "\n",
        )
        foot = joined((paragraph(tag("strong", f"{LABEL}."), PURPOSE), paragraph(f"Evidence version {evidence.version}{overlay}{by}.", self._counted())))
        return (
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n<meta name="referrer" content="no-referrer">\n{head}\n</head>\n<body>\n'
            f'<a class="skip" href="#content">To the content</a>\n<header>\n<p class="label"><strong>{LABEL}</strong> &middot; ivigil evidence</p>\n'
            f'<nav aria-label="Site"><ul>{menu}</ul></nav>\n'
            f'<div class="find" id="find" data-root="{way}" role="search" hidden><label for="find-words">Search</label>'
            f'<input id="find-words" type="search" autocomplete="off" spellcheck="false"> <span id="find-count" class="quiet" role="status"></span>'
            f'<ul id="finds" class="finds"></ul></div>\n</header>\n'
            f'<main id="content">\n{content}</main>\n'
            f"<footer>\n{foot}</footer>\n</body>\n</html>\n"
        )

    def _counted(self) -> str:
        """How much of what this page shows, or of everything where it shows no statement, two people have not approved."""
        shown = self.stated or tuple(self.cite.numbers)
        states = self.evidence.review_states
        count = sum(states[name] != "approved" for name in shown or states)
        return f"Statements {'shown here' if shown else 'in all'}: {len(shown or states)}; not yet approved by two reviewers: {count}."
