"""The page of one product in one market: what is in it, what its label allows, and how fast it is given."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.examples import Examples
from ivigil.evidence.shapes import Labelled, Product, RateSchedule, Remark, SubcutaneousSchedule
from ivigil.planning.rates import restrictive, strength
from ivigil.rendering.pages.cards import cases, editions, examples_for, gaps, used
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.markup import NOTHING, Markup, Part, badge, bullets, joined, pairs, paragraph, section, table, tag
from ivigil.rendering.pages.wording import place_name, valid_text

_INFUSIONS = {"any": "every infusion", "first": "first infusions", "later": "later infusions"}
_KINDS = {"max": "at most", "typical": "typically"}


def product_page(sheet: Sheet, entry: Product, examples: Examples) -> str:
    """The whole page."""
    return sheet.html(
        f"Product, {place_name(sheet.evidence, entry.market)}",
        f"{entry.brand} ({entry.market})",
        sheet.local(entry.id),
        _head(sheet, entry),
        _composition(sheet, entry),
        _vials(sheet, entry),
        _labelled(sheet, "Labelled for", "labelled", entry.labelled),
        _labelled(sheet, "Barred for", "barred", entry.barred),
        _rates(sheet, entry),
        _subcutaneous(sheet, entry),
        _switch(sheet, entry),
        _ramp_up(sheet, entry),
        _handling(sheet, entry),
        _reactions(sheet, entry.reactions),
        gaps(entry.not_read),
        cases(sheet, examples_for(examples, "products", entry.id)),
        used(sheet, "products", entry.id),
        editions((f"Intravenous rates, {', '.join(one.indications)}", "", one.valid) for one in entry.rates),
    )


def _head(sheet: Sheet, entry: Product) -> Markup:
    state = badge(entry.status.state, "alarm" if entry.status.state != "licensed" else "good")
    status = joined((state, f"until {entry.status.until}" if entry.status.until else "", entry.status.say, sheet.cite(entry.status.cites)), " ")
    return pairs(
        (
            ("Id", tag("span", entry.id, class_="id")),
            ("Also called", ", ".join(entry.also_called)),
            ("Maker", entry.maker),
            ("Strength", f"{number_text(entry.percent)} % ({number_text(strength(entry.percent))} mg/mL IgG)"),
            ("Form", entry.form),
            ("Routes", ", ".join(entry.routes)),
            ("Status", status),
            ("Codes", sheet.words.codes(entry.codes)),
            ("Note", entry.note),
        )
    )


def _composition(sheet: Sheet, entry: Product) -> Markup:
    rows: list[list[Part]] = []
    if entry.stabiliser is not None:
        rows.append(["Stabiliser", entry.stabiliser.name, "", sheet.cite(entry.stabiliser.cites)])
    for name, measured in (("IgA", entry.iga), ("Sodium", entry.sodium)):
        if measured is not None:
            rows.append([name, f"{_KINDS[measured.kind]} {measured.value}", measured.note, sheet.cite(measured.cites)])
    for name, worded in (("Osmolality", entry.osmolality), ("pH", entry.ph), ("Isoagglutinins reduced", entry.isoagglutinin_reduced)):
        if worded is not None:
            rows.append([name, worded.value, "", sheet.cite(worded.cites)])
    rows += [[name.replace("_", " ").capitalize(), answer, "", sheet.cite(entry.contains_cites)] for name, answer in entry.contains.items()]
    shown = table("Composition", ("Content", "Label says", "Note", "References"), rows)
    return section(
        "Composition", shown, paragraph("What is not in the table was not read; it is unknown, not absent.", class_="quiet"), anchor="composition"
    )


def _vials(sheet: Sheet, entry: Product) -> Markup:
    if entry.vials is None:
        return section("Vials", paragraph("No vial size was read."), anchor="vials")
    millilitres = strength(entry.percent)
    rows: list[list[Part]] = [[str(size), f"{number_text(size.in_unit('mg') / millilitres)} mL"] for size in entry.vials.sizes]
    return section(
        "Vials",
        paragraph("Volumes are worked out from the strength.", sheet.cite(entry.vials.cites), entry.vials.note),
        table("Vial sizes", ("IgG", "Volume"), rows, numeric=(0, 1)),
        anchor="vials",
    )


def _labelled(sheet: Sheet, title: str, anchor: str, labels: Iterable[Labelled]) -> Markup:
    rows: list[list[Part]] = [
        [sheet.words.to("indications", one.indication), sheet.words.condition(one.who) or "no limit recorded", one.say, sheet.cite(one.cites)]
        for one in labels
    ]
    return section(title, table(title, ("Indication", "For whom", "Says", "References"), rows), anchor=anchor)


def _named(sheet: Sheet, indications: Iterable[str]) -> Markup:
    return joined((sheet.words.to("indications", name) for name in indications), ", ")


def _rates(sheet: Sheet, entry: Product) -> Markup:
    if not entry.rates:
        missing = paragraph("No intravenous rate of this product was read; none is planned.") if "intravenous" in entry.routes else NOTHING
        return section("Intravenous rates", missing, anchor="rates")
    quiet = paragraph(
        "Rates in mg/kg/min and mL/kg/h are worked out from the printed ones; where a label prints two units that differ, the lower one binds.",
        class_="quiet",
    )
    return section(
        "Intravenous rates", quiet, *(_schedule(sheet, entry, one, place) for place, one in enumerate(entry.rates, start=1)), anchor="rates"
    )


def _schedule(sheet: Sheet, entry: Product, one: RateSchedule, place: int) -> Markup:
    percent = one.percent or entry.percent
    rows = [_rate("Start", one.start.rate, one.start.also, percent, f"for {one.start.hold}" if one.start.hold is not None else "")]
    rows += [
        _rate(f"Step {number}", step.rate, step.also, percent, f"for {step.hold}" if step.hold is not None else "")
        for number, step in enumerate(one.steps, start=1)
    ]
    if one.increase is not None:
        every = f"every {one.increase.every}" if one.increase.every is not None else ""
        rows.append(
            [
                "Increase",
                "",
                "",
                f"by {one.increase.by}" if one.increase.by is not None else "no step size printed",
                joined((every, one.increase.say), " "),
            ]
        )
    rows.append(_rate("Highest", one.maximum.rate, one.maximum.also, percent, f"for {one.maximum.hold}" if one.maximum.hold is not None else ""))
    if one.extended is not None:
        when = joined(
            (f"only if {sheet.words.condition(one.extended.condition)}" if one.extended.condition is not None else "", one.extended.say), " "
        )
        rows.append(_rate("Extended", one.extended.rate, one.extended.also, percent, when))
    if one.at_risk is not None:
        remark = "kidney or clot risk"
        rows.append(
            _rate("At risk", one.at_risk.rate, one.at_risk.also, percent, remark)
            if one.at_risk.rate is not None
            else ["At risk", "", "", "minimum practicable rate; no number printed", remark]
        )
    who = f", {sheet.words.condition(one.who)}" if one.who is not None else ""
    dated = f", {valid_text(one.valid)}" if valid_text(one.valid) else ""
    caption = f"Schedule {place}: {_INFUSIONS[one.infusion]}{who}, {number_text(percent)} % solution{dated}"
    return joined(
        (
            paragraph("For ", _named(sheet, one.indications), sheet.cite(one.cites)),
            table(caption, ("Step", "mg/kg/min", "mL/kg/h", "As printed", "Remarks"), rows, numeric=(1, 2)),
            paragraph(one.note, class_="quiet"),
        )
    )


def _rate(name: str, rate: Quantity, also: Quantity | None, percent: float, remark: str) -> list[Part]:
    """A printed rate with both units; a rate without body mass has none."""
    printed = f"{rate} (also printed {also})" if also is not None else str(rate)
    if "per body mass" not in rate.dimension:
        return [name, "", "", printed, remark]
    flow = restrictive(rate, also, percent, 1.0)
    mass = Quantity(flow * strength(percent), "mg/kg/h").in_unit("mg/kg/min")
    return [name, number_text(mass), number_text(flow), printed, remark]


def _subcutaneous(sheet: Sheet, entry: Product) -> Markup:
    rows = [_sites(sheet, one) for one in entry.subcutaneous]
    heads = (
        "For",
        "Infusion",
        "For whom",
        "Per site",
        "Rate per site",
        "Rate, all sites",
        "Sites at most",
        "Apart",
        "Per day at most",
        "Steps",
        "Remarks",
        "References",
    )
    return section("Subcutaneous infusion", table("Printed limits of subcutaneous infusion", heads, rows), anchor="subcutaneous")


def _sites(sheet: Sheet, one: SubcutaneousSchedule) -> list[Part]:
    def said(value: Quantity | None) -> str:
        return str(value) if value is not None else ""

    infusion = f"first {one.first_infusions} infusions" if one.infusion == "first" and one.first_infusions > 1 else _INFUSIONS[one.infusion]
    steps = bullets(f"{step.rate} per site{f' for {step.hold}' if step.hold is not None else ''}" for step in one.steps)
    return [
        _named(sheet, one.indications),
        infusion,
        sheet.words.condition(one.who),
        said(one.volume_per_site),
        said(one.rate_per_site),
        said(one.rate_all_sites),
        str(one.max_sites) if one.max_sites else "",
        said(one.site_distance),
        said(one.max_per_day),
        steps,
        joined((one.infusions, one.note), "; "),
        sheet.cite(one.cites),
    ]


def _switch(sheet: Sheet, entry: Product) -> Markup:
    rows: list[list[Part]] = [
        [
            f"x {number_text(one.from_intravenous)}",
            one.say,
            f"{one.start_after} after the last intravenous dose" if one.start_after is not None else "",
            sheet.words.condition(one.who),
            valid_text(one.valid),
            sheet.cite(one.cites),
        ]
        for one in entry.switch
    ]
    shown = table("Weekly subcutaneous dose from the intravenous one", ("Factor", "Says", "Start", "For whom", "In force", "References"), rows)
    return section("Changing from intravenous", shown, anchor="switch")


def _ramp_up(sheet: Sheet, entry: Product) -> Markup:
    tables = [
        joined(
            (
                table(
                    f"Ramp-up to a dose every {one.every}",
                    ("Infusion", "Week", "Share of the full dose"),
                    [[str(step.infusion), str(step.week), str(step.fraction)] for step in one.steps],
                    numeric=(0, 1, 2),
                ),
                paragraph(sheet.cite(one.cites)),
            )
        )
        for one in entry.ramp_up
    ]
    return section("Ramp-up", *tables, anchor="ramp-up")


def _handling(sheet: Sheet, entry: Product) -> Markup:
    if entry.handling is None:
        return section("Handling", pairs([("Diluent", entry.diluent)]), anchor="handling")
    one = entry.handling
    named = (
        ("Storage", one.storage),
        ("Dilution", one.dilution),
        ("Diluent", entry.diluent),
        ("Flush", one.flush),
        ("Filter", one.filter),
        ("Latex", one.latex),
        ("Use", one.use),
    )
    return section("Handling", pairs(named), paragraph(sheet.cite(one.cites)), anchor="handling")


def _reactions(sheet: Sheet, reactions: Iterable[Remark]) -> Markup:
    return section("Reactions on the label", bullets(joined((one.say, sheet.cite(one.cites)), " ") for one in reactions), anchor="reactions")
