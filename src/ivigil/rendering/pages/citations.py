"""The numbered citations of one page, their list at its end, and what reviewers have said of them."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.evidence.library import Evidence
from ivigil.evidence.review import stamp_of, state_of
from ivigil.evidence.shapes import Statement
from ivigil.rendering.pages.markup import NOTHING, Markup, Part, badge, bullets, joined, link, paragraph, section, table, tag, text
from ivigil.rendering.pages.wording import Words, _day, read_words


class Citations:
    """Numbers statements in the order in which a reader meets them."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.evidence: Evidence = words.places.evidence
        self.numbers: dict[str, int] = {}

    def __call__(self, cites: Iterable[str]) -> Markup:
        """``[1, 2]``, each number a link to the reference list below."""
        known = [cite for cite in dict.fromkeys(cites) if cite in self.evidence.statements]
        if not known:
            return NOTHING
        links = (link(f"#ref-{self.numbers.setdefault(cite, len(self.numbers) + 1)}", str(self.numbers[cite])) for cite in known)
        weak = [cite for cite in known if self.evidence.statements[cite].read in {"remembered", "decided"}]
        marks = (
            [badge("not read", "weak")]
            if len(weak) == len(known) and any(self.evidence.statements[one].read == "remembered" for one in weak)
            else ([badge("policy", "weak")] if len(weak) == len(known) else [])
        )
        return tag("span", "[", joined(links, ", "), "]", " " if marks else None, *marks, class_="cites")

    def references(self) -> Markup:
        """Every cited statement with its place in the source, how it was read, where it stands in review, and who disputes it."""
        rows = [
            tag("li", self._reference(self.evidence.statements[cite]), id=f"ref-{number}", value=str(number)) for cite, number in self.numbers.items()
        ]
        return section("References", tag("ol", Markup("\n".join(rows)), class_="references"), anchor="references") if rows else NOTHING

    def _reference(self, statement: Statement) -> Markup:
        return joined((statement.says, self.origin(statement), marks(statement), self.disputes(statement)), " ")

    def origin(self, statement: Statement) -> Markup:
        """The source, and the place in it, as a link to where the statement stands on the page of its source."""
        places, page = self.words.places, self.words.page
        where = f", {statement.where}" if statement.where else ""
        named = (
            link(places.href("statements", statement.id, page), places.title("sources", statement.source))
            if statement.source in self.evidence.sources
            else (text(statement.source))
        )
        also = joined((self.words.to("sources", other) for other in statement.also), ", ")
        through = self.words.to("sources", statement.through) if statement.through else None
        return tag(
            "span",
            joined(("Source: ", named, where)),
            joined(("; read in ", through)) if through else None,
            joined(("; also in ", also)) if also else None,
            ".",
            class_="origin",
        )

    def disputes(self, statement: Statement) -> Markup:
        """What other statements say against this one."""
        rows: list[Part] = []
        for other in statement.disputed_by:
            entry = self.evidence.statements.get(other)
            if entry is not None:
                rows.append(joined(("Disputed: ", entry.says, " ", self.origin(entry), " ", marks(entry))))
        return bullets(rows, "disputes")

    def verdicts(self) -> Markup:
        """What reviewers have decided about the cited statements."""
        return verdict_table(self.words, [self.evidence.statements[cite] for cite in self.numbers])


def marks(statement: Statement) -> Markup:
    """How it was read and where it stands in review, as two marks."""
    state = state_of(statement)
    review = {"submitted": "not reviewed", "under-review": "under review"}.get(state.status, state.status)
    if state.approved_by:
        review += f" by {', '.join(state.approved_by)}" if state.status == "approved" else f", approved by {', '.join(state.approved_by)}"
    weak = "weak" if statement.read in {"remembered", "decided", "second-hand"} else ""
    return joined((badge(read_words(statement), weak), badge(review, "good" if state.status == "approved" else "")), " ")


def verdict_table(words: Words, statements: Iterable[Statement]) -> Markup:
    """One row for each verdict; a sentence when there is none."""
    rows: list[list[Part]] = []
    for statement in statements:
        stamp = stamp_of(statement) if statement.reviews else ""
        for verdict in statement.reviews:
            old = "given on an earlier text, counts no more" if verdict.of and verdict.of != stamp else ""
            due = f"next step due {_day(verdict.due)}" if verdict.due else ""
            note = "; ".join(part for part in (verdict.reason, due, old) if part)
            rows.append([_day(verdict.date), verdict.status.replace("-", " "), verdict.by, words.to("statements", statement.id, statement.id), note])
    shown = table("Review verdicts", ("Day", "Verdict", "By", "Statement", "Remark"), rows)
    return shown or paragraph("No reviewer has judged a statement of this page yet.")
