"""The two founding articles are carried claim by claim: nothing is left out, nothing unsafe passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivigil.evidence.knowledge import Article, Claim
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.references import lines_of

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT.parent / "shared" / "founding-articles"
FILES = {"patient-article": "000_2fed2fe3eedadd23.txt", "clinician-answer": "004_fcabf71aaf794604.txt"}
ARTICLES_OWN = {"seed-p", "seed-c", "droracle-ivig"}
"""The sources that are the articles themselves."""
ONE_OR_MORE = ["composition", "maintenance", "vaccination timing", "contraindication", "cost", "shortage", "procedure", "duration", "pain",
               "number of infusions", "onset of effect", "pregnancy", "breast-feeding"]
EACH = {
    "mechanism": ["Fc receptors", "complement", "lymphocytes", "B-cell receptor", "neutralisation", "cytokines", "regulatory T cells", "antibody synthesis"],
    "labelled use": ["primary immunodeficiency", "immune thrombocytopenia", "Kawasaki disease", "bone marrow transplantation",
                     "chronic lymphocytic leukaemia", "children with HIV", "dermatomyositis"],
    "off-label use": ["Guillain-Barre syndrome", "myasthenia gravis", "neuropathies", "pemphigus", "pemphigoid", "other blistering disease",
                      "rheumatic disease", "immune blood disease", "antibody-mediated rejection", "desensitisation", "immune-related adverse events",
                      "enterovirus",
                      "systemic lupus", "Sjogren syndrome", "polymyositis", "vasculitis", "juvenile idiopathic arthritis", "multiple myeloma", "lymphoma"],
    "dosing": ["single infusion", "divided course", "immune thrombocytopenia", "replacement", "high dose", "what decides"],
    "common adverse effect": ["skin at the site", "headache", "flushing", "fever", "chills", "nausea", "muscle ache", "rigors", "volume overload"],
    "serious adverse effect": ["aseptic meningitis", "heart failure", "blood pressure", "blood clots", "high blood sugar", "severe allergy",
                               "haemolytic anaemia", "kidney", "liver", "older people", "anaphylaxis", "anaphylaxis in IgA deficiency"],
    "monitoring": ["IgG", "IgG target", "during", "after", "glucose"],
    "red flag": ["breathing", "rash", "high fever", "headache with stiff neck", "vomiting", "chest"],
    "alternative": ["subcutaneous immunoglobulin", "steroids", "biologics", "JAK inhibitors", "immunomodulators"],
}


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


def _topics(evidence: Evidence) -> set[str]:
    return {claim.topic for claim in evidence.claims.values()}


@pytest.mark.parametrize("topic", [*ONE_OR_MORE, *(f"{group}: {item}" for group, items in EACH.items() for item in items)])
def test_every_topic_of_the_articles_has_a_claim(evidence: Evidence, topic: str) -> None:
    """What the articles speak of is answered, item by item."""
    assert any(found == topic or found.startswith(f"{topic}: ") for found in _topics(evidence))


def test_what_differs_is_said(evidence: Evidence) -> None:
    """A claim that is not carried as it stands has a sentence of ours."""
    silent = [claim.id for claim in evidence.claims.values() if claim.verdict != "carried" and not claim.say]
    assert not silent


def test_a_claim_is_not_overruled_or_carried_by_itself(evidence: Evidence) -> None:
    """Carried, superseded and rejected claims rest on something that an article did not write itself."""
    alone = [claim.id for claim in evidence.claims.values() if claim.verdict in {"carried", "superseded", "rejected"} and not _independent(claim, evidence)]
    assert not alone


def _independent(claim: Claim, evidence: Evidence) -> bool:
    return any({statement.source, *statement.also} - ARTICLES_OWN for statement in (evidence.statements[cite] for cite in claim.cites))


@pytest.mark.parametrize(("claim", "verdicts"), [
    ("patient.two-grams-each-session", {"rejected"}),
    ("patient.weak-response", {"rejected"}),
    ("patient.nsaid", {"rejected"}),
    ("clinician.one-gram-a-day", {"rejected"}),
    ("clinician.transplantation", {"superseded"}),
    ("clinician.paediatric-hiv", {"superseded"}),
    ("clinician.replacement-dosing", {"superseded"}),
    ("patient.five-percent", {"refined"}),
    ("clinician.single-infusion", {"refined"}),
    ("clinician.itp-dosing", {"refined"}),
    ("clinician.eleven-months", {"refined"}),
    ("clinician.target", {"refined", "disputed"}),
    ("clinician.iga", {"refined", "disputed"}),
])
def test_known_corrections_are_kept(evidence: Evidence, claim: str, verdicts: set[str]) -> None:
    """What is unsafe or outdated in the articles is never carried as it stands."""
    assert evidence.claims[claim].verdict in verdicts


def faults(article: Article, claims: list[Claim], text: str) -> list[str]:
    """What does not fit between an article's entry and the text of its stored copy."""
    lines = text.splitlines()
    found = [] if article.lines == len(lines) else [f"{article.id} has {len(lines)} lines, not {article.lines}"]
    for claim in claims:
        found += [f"{claim.id}: line {number} is empty" for number in lines_of(claim.at_lines) if not lines[number - 1].strip()]
        found += [f"{claim.id} copies the article" for line in lines if len(claim.claim) > len("IVIG is pooled") and claim.claim.rstrip(".") in line]
    return found


@pytest.mark.parametrize("name", FILES)
def test_the_lines_fit_the_stored_copy(evidence: Evidence, name: str) -> None:
    """The number of lines is that of the copy, no claimed line is empty, and no claim is copied from it."""
    path = STORED / FILES[name]
    if not path.is_file():
        pytest.skip("the stored articles are not beside this repository")
    claims = [claim for claim in evidence.claims.values() if claim.article == name]
    assert faults(evidence.articles[name], claims, path.read_text(encoding="utf-8")) == []


def test_a_fault_would_be_seen(evidence: Evidence) -> None:
    """A wrong count, an empty line and a copied sentence are each told."""
    article = Article(id="a", title="A", publisher="B", lines=3, no_claim=("1",))
    copied = Claim(id="c", article="a", at_lines=("1-2",), topic="t", claim="Plasma is pooled from donors.", verdict="carried", cites=("care.advice.donors",))
    assert len(faults(article, [copied], "Plasma is pooled from donors.\n\n")) == len(["count", "empty", "copied"])
