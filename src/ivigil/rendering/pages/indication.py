"""The page of one indication: who supports it, how each authority doses it, and everything else that was read about it."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.evidence.examples import Example, Examples
from ivigil.evidence.shapes import Indication, Regimen, Remark
from ivigil.rendering.pages.cards import cases, editions, examples_for, gaps, used
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.markup import NOTHING, Markup, Part, badge, bullets, joined, pairs, paragraph, section, table, tag
from ivigil.rendering.pages.wording import VERDICTS, authority_name, comparison, dose_text, place_name, reported_kind, valid_text


def indication_page(sheet: Sheet, entry: Indication, examples: Examples) -> str:
    """The whole page."""
    return sheet.html(
        "Indication",
        entry.name.clinical,
        sheet.local(entry.id),
        _head(sheet, entry),
        _standing(sheet, entry),
        _criteria(sheet, entry),
        _regimens(sheet, entry),
        _reported(sheet, entry),
        *(
            _remarks(sheet, title, anchor, rows)
            for title, anchor, rows in (
                ("Targets", "targets", entry.targets),
                ("When to review", "when-to-review", entry.review),
                ("When to stop", "stop", entry.stop),
                ("Outcome measures", "outcomes", entry.outcome_measures),
                ("Alternatives", "alternatives", entry.alternatives),
            )
        ),
        _products(sheet, entry),
        _ceilings(sheet, entry),
        gaps(entry.not_read),
        cases(sheet, _examples(entry, examples)),
        used(sheet, "indications", entry.id),
        _editions(sheet, entry),
    )


def _examples(entry: Indication, examples: Examples) -> list[Example]:
    """Those of the indication itself, then those of its regimens."""
    return [one for name in (entry.id, *(regimen.id for regimen in entry.regimens)) for one in examples_for(examples, "indications", name)]


def _head(sheet: Sheet, entry: Indication) -> Markup:
    return joined(
        (
            paragraph(entry.name.plain, class_="lead"),
            pairs(
                (
                    ("Id", tag("span", entry.id, class_="id")),
                    ("Also called", ", ".join(entry.also_called)),
                    ("Codes", sheet.words.codes(entry.codes)),
                    ("Purpose", "none is accepted" if entry.purpose == "none" else entry.purpose),
                    ("Routes", ", ".join(entry.routes)),
                    ("For whom", sheet.words.condition(entry.population)),
                    ("Note", entry.note),
                )
            ),
        )
    )


def _authority(sheet: Sheet, name: str, authority: str) -> Markup:
    return joined((name, tag("span", authority, class_="id")), " ")


def _standing(sheet: Sheet, entry: Indication) -> Markup:
    rows: list[list[Part]] = [
        [
            _authority(sheet, authority_name(sheet.evidence, one), one.authority),
            place_name(sheet.evidence, one.jurisdiction),
            badge(VERDICTS[one.verdict], {"against": "alarm", "supports": "good"}.get(one.verdict, "weak")),
            one.tier,
            one.say,
            one.edition,
            valid_text(one.valid),
            sheet.cite(one.cites),
        ]
        for one in entry.standing
    ]
    shown = table(
        "What each authority says of treating it",
        ("Authority", "Where", "Verdict", "Its own words", "Says", "Edition", "In force", "References"),
        rows,
    )
    return section("Standing", shown or paragraph("No authority's standing was read."), anchor="standing")


def _criteria(sheet: Sheet, entry: Indication) -> Markup:
    rows: list[list[Part]] = [
        [
            one.say,
            place_name(sheet.evidence, one.jurisdiction),
            _authority(sheet, authority_name(sheet.evidence, one), one.authority),
            sheet.words.condition(one.when) or "asked of the prescriber",
            valid_text(one.valid),
            sheet.cite(one.cites),
        ]
        for one in entry.criteria
    ]
    return section(
        "Criteria",
        table("What an authority asks to hold", ("Criterion", "Where", "Authority", "Judged by", "In force", "References"), rows),
        anchor="criteria",
    )


def _regimens(sheet: Sheet, entry: Indication) -> Markup:
    if not entry.regimens:
        return section("Regimens", paragraph("No regimen was read that a plan could use."), anchor="regimens")
    places: dict[str, list[Regimen]] = {}
    for one in entry.regimens:
        places.setdefault(one.jurisdiction, []).append(one)
    heads = ("Phase", "Dose", "Route and products", "Conditions and remarks", "Authority", "Edition", "In force", "References")
    tables = [
        table(
            f"Regimens, {place_name(sheet.evidence, place)}",
            heads,
            [_regimen(sheet, one) for one in rows],
            [f"regimen-{_row(entry, one)}" for one in rows],
        )
        for place, rows in places.items()
    ]
    return section(
        "Regimens",
        paragraph(
            "Doses stand as printed: a total for the course, an amount per day, or an amount per interval. Where authorities differ "
            "they stand side by side; nothing is averaged.",
            class_="quiet",
        ),
        *tables,
        anchor="regimens",
    )


def _row(entry: Indication, regimen: Regimen) -> str:
    return str(entry.regimens.index(regimen) + 1)


def _regimen(sheet: Sheet, one: Regimen) -> list[Part]:
    phases = ", ".join(phase.replace("-", " ") for phase in (one.phase, *one.also_phases))
    products = joined((sheet.words.to("products", product) for product in one.products), ", ")
    remarks = [
        f"when {sheet.words.condition(one.when)}" if one.when is not None else "",
        one.say,
        one.repeat,
        f"with {one.companion}" if one.companion else "",
        f"at most {one.cap} for the course" if one.cap is not None else "",
        f"given over {one.hours}" if one.hours is not None else "",
        "on a single day" if one.single_day else "",
        one.note,
    ]
    weight = joined(("weight by ", sheet.words.to("weight_policies", one.weight))) if one.weight else NOTHING
    return [
        joined((phases, tag("span", one.id, class_="id")), " "),
        tag("strong", dose_text(one.dose)),
        joined((one.route, products), ": "),
        bullets([*remarks, weight]),
        _authority(sheet, authority_name(sheet.evidence, one), one.authority),
        one.edition,
        valid_text(one.valid),
        sheet.cite(one.cites),
    ]


def _reported(sheet: Sheet, entry: Indication) -> Markup:
    rows: list[list[Part]] = [
        [reported_kind(one), one.say, place_name(sheet.evidence, one.jurisdiction), one.note, sheet.cite(one.cites)] for one in entry.reported
    ]
    shown = table("Reported doses, never planned from", ("Kind", "Says", "Where", "Note", "References"), rows)
    return (
        section(
            "Reported doses", paragraph("Read and shown for completeness. No plan is ever made from them.", class_="warn"), shown, anchor="reported"
        )
        if shown
        else NOTHING
    )


def _remarks(sheet: Sheet, title: str, anchor: str, remarks: Iterable[Remark]) -> Markup:
    rows: list[list[Part]] = [
        [
            one.say,
            one.value,
            f"at {one.at}" if one.at is not None else "",
            f"every {one.every}" if one.every is not None else "",
            sheet.words.condition(one.when),
            place_name(sheet.evidence, one.jurisdiction),
            one.authority.replace("-", " "),
            valid_text(one.valid),
            sheet.cite(one.cites),
        ]
        for one in remarks
    ]
    return section(
        title, table(title, ("Says", "Value", "First", "Then", "When", "Where", "Authority", "In force", "References"), rows), anchor=anchor
    )


def _products(sheet: Sheet, entry: Indication) -> Markup:
    rows: list[list[Part]] = []
    for product in sheet.evidence.products.values():
        for one, kind in (*((one, "labelled") for one in product.labelled), *((one, "barred") for one in product.barred)):
            if one.indication == entry.id:
                rows.append(
                    [
                        sheet.words.to("products", product.id),
                        product.market,
                        badge(kind, "alarm" if kind == "barred" else "good"),
                        ", ".join(product.routes),
                        sheet.words.condition(one.who) or "no limit recorded",
                        one.say,
                        sheet.cite(one.cites),
                    ]
                )
    return section(
        "Products",
        table("Products whose label names it", ("Product", "Market", "Label", "Routes", "For whom", "Says", "References"), rows),
        anchor="products",
    )


def _ceilings(sheet: Sheet, entry: Indication) -> Markup:
    rows: list[list[Part]] = [[one.payer, one.amount, comparison(one.per), one.note, sheet.cite(one.cites)] for one in entry.payer_ceilings]
    shown = table("Limits of payment, never a dose", ("Payer", "Pays at most", "Per", "Note", "References"), rows)
    return (
        section(
            "Payer ceilings: never a dose",
            paragraph("What a payer authorises. These amounts are no dose and no plan uses them.", class_="warn"),
            shown,
            anchor="payers",
        )
        if shown
        else NOTHING
    )


def _editions(sheet: Sheet, entry: Indication) -> Markup:
    rows = [(f"Standing, {authority_name(sheet.evidence, one)} ({one.jurisdiction})", one.edition, one.valid) for one in entry.standing]
    rows += [(f"Criterion {one.id}", "", one.valid) for one in entry.criteria]
    rows += [(f"Regimen {one.id}", one.edition, one.valid) for one in entry.regimens]
    return editions(rows)
