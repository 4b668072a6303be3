"""A plan made by hand, with one of everything a rendering must show. The figures are examples, not advice."""

from __future__ import annotations

from datetime import date

from ivigil.basis.because import Alternative, Because, UsedFact
from ivigil.basis.quantity import Quantity
from ivigil.planning.line import Column, Line, NotRaised, Plan, Question, Reference, Table

WEIGHT = UsedFact("70 kg", "weights[0]", date(2026, 11, 18))


def plan(**changes: object) -> Plan:
    """The sample, with any field of the plan replaced."""
    fields: dict[str, object] = {
        "schema": "ivigil.plan/1",
        "status": "needs-answers",
        "patient": "sample-1",
        "indication": "itp-adult",
        "jurisdiction": "US",
        "as_of": date(2026, 11, 20),
        "evidence_version": "0123456789abcdef",
        "program_version": "0.1.0",
        "lines": LINES,
        "questions": QUESTIONS,
        "references": REFERENCES,
        "not_raised": NOT_RAISED,
        **changes,
    }
    return Plan(**fields)  # type: ignore[arg-type]


LINES = (
    Line("indication.standing", "indication", "check", "info", "Immune thrombocytopenia is on the label.",
         Because(cites=("label.itp",), read="seen", review="submitted")),
    Line("dose.weight", "dosing", "give", "info", "Dosing weight 70 kg (actual).",
         Because(cites=("policy.weight",), facts={"weight": WEIGHT, "age": UsedFact("34 year", "born")}, read="decided", review="submitted")),
    Line("dose.per_day", "dosing", "give", "info", "70 g on each of 2 consecutive days, 140 g in all.",
         Because(rule="itp.two-days", cites=("label.itp",), facts={"weight": WEIGHT}, calculation="1 g/kg x 70 kg = 70 g", follows=("dose.weight",),
                 instead_of=(Alternative("0.4 g/kg on each of 5 days", "slower rise of the platelets", ("guide.itp",), Quantity(0.4, "g/kg")),),
                 disputed_by=(Alternative("Ontario", "adjusted body weight would be used", ("guide.itp",)),), read="seen", review="submitted"),
         value=Quantity(70.0, "g")),
    Line("safety.renal-risk", "safety", "check", "warning", "A kidney risk factor is present; keep the patient well hydrated.",
         Because(rule="renal-risk", cites=("box.renal",), facts={"age": UsedFact("70 year", "born", stale=False)}, read="second-hand", review="submitted")),
    Line("safety.thrombosis", "safety", "check", "critical", "Recent thrombosis: weigh benefit against risk before the first drop.",
         Because(rule="thrombosis-risk", cites=("box.thrombosis",), reading="recent is read as within 3 months", read="seen", review="submitted")),
    Line("infusion.steps", "infusion", "give", "info", "Raise the rate step by step as the label prints it.",
         Because(cites=("label.rate",), calculation="0.5 mg/kg/min x 70 kg", read="remembered", review="submitted"),
         table=Table((Column("Step"), Column("Clock"), Column("Rate", "mL/h"), Column("Volume", "mL"), Column("Remark")),
                     ((1.0, "09:00", 21.0, 10.5, "start"), (2.0, "09:30", 168.0, 689.5, None)), "Rounded down to the pump's step of 1 mL/h.")),
    Line("monitoring.cbc", "monitoring", "check", "info", "Blood count after the course.", Because(cites=("guide.itp",), read="seen", review="submitted"),
         when=date(2026, 11, 28)),
    Line("advice.call", "advice", "tell", "info", "Call at once with chest pain, a swollen leg or dark urine.",
         Because(cites=("guide.itp",), read="seen", review="submitted")),
)

QUESTIONS = (
    Question("blood_group", "Which blood group does the patient have?", ("haemolysis-risk", "monitoring.cbc", "a", "b", "c"), 9, "warning"),
    Question("igg", "What is the IgG level?", ("dose.per_day",), 2, stale=True),
)

REFERENCES = (
    Reference(1, "label", "Example immunoglobulin, prescribing information", "Maker", "2022", "table 1", statements=("label.itp", "label.rate")),
    Reference(2, "guide", "Example guideline", "Authority", "2025", statements=("guide.itp", "box.renal"), read="second-hand"),
    Reference(3, "policy", "ivigil default policy", "ivigil", statements=("policy.weight",), read="decided"),
    Reference(4, "box", "Boxed warning", statements=("box.thrombosis",)),
)

NOT_RAISED = (NotRaised("haemolysis-group", "Haemolysis", "blood group is O", {"blood_group": "O"}),)
