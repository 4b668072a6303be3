"""How records speak of things: codes, whole words, and the words round them that deny, doubt or date them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Literal

from ivigil.basis.facts import Codes, FactDefinition
from ivigil.patient.record import Code
from ivigil.patient.values import add_back

Register = Mapping[str, FactDefinition]
Mention = Literal["yes", "past", "no", "unsure"]
"""How a text speaks of a thing: present, in the past, denied, or left open (possible, suspected, at risk of)."""

_WORD = re.compile(r"[^\W_]+(?:\+)?", re.UNICODE)
_CLAUSE = re.compile(r"[,;.:()\n]| - | but | and | with | although | however ", re.IGNORECASE)
_ANSWERED = re.compile(r"\s*:\s*(?=(?:no|none|absent|negative|excluded|ruled out|denied)\b)", re.IGNORECASE)
_BEFORE_NO = ("no", "not", "denies", "denied", "without", "never", "nil", "non", "negative for", "free of", "no evidence of", "excluded", "ruled out")
_BEFORE_OPEN = ("possible", "possibly", "suspected", "suspicion of", "probable", "query", "risk of", "risk for", "screening for", "prophylaxis for", "prevent",
                "prevention of", "rule out", "no longer", "exposure to", "vaccination against", "unlikely")
_BEFORE_PAST = ("history of", "hx of", "h o", "previous", "previously", "past", "prior", "former", "old", "resolved", "status post", "s p", "ex")
_BEFORE_OTHER = ("family history of", "family history", "fh of", "mother has", "mother had", "father has", "father had", "sister has", "sister had",
                 "brother has", "brother had", "maternal", "paternal", "relative with", "sibling with")
_AFTER_NO = ("ruled out", "excluded", "absent", "negative", "no", "none", "not present", "denied")
_AFTER_OPEN = ("unlikely", "suspected", "risk", "possible", "screen", "screening", "prophylaxis")
_AFTER_PAST = ("resolved", "in remission", "in the past", "previously", "in childhood")
_WINDOW = 5
_LISTS = {"conditions", "medicines", "allergies"}
_KEPT = 4096
_DAYS = 16


class Index:
    """Codes and phrases of a register, turned round: from what a record holds to the facts it bears on."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.codes: dict[tuple[str, str], list[str]] = {}
        self.phrases: dict[str, list[str]] = {}
        self.longest = 1
        self.reviewable: list[tuple[str, str, bool]] = []
        """The yes/no facts that a reviewed list without them denies: the fact, the list, and whether only recent events count."""
        self._oldest: dict[date, dict[str, date]] = {}
        self._read: dict[str, tuple[tuple[str, str, Mention], ...]] = {}
        for definition in register.values():
            if definition.stage != "patient":
                continue
            recent = definition.source == "derived" and definition.fresh is not None
            source = "conditions" if recent else definition.source
            if source in _LISTS and definition.kind == "yes_no" and (definition.names or definition.codes != Codes()):
                self.reviewable.append((definition.id, source, recent))
            for system, values in _systems(definition.codes):
                for value in values:
                    self.codes.setdefault((system, _plain_code(system, value)), []).append(definition.id)
            for name in (*definition.names,):
                words = words_of(name)
                if words:
                    self.phrases.setdefault(" ".join(words), []).append(definition.id)
                    self.longest = max(self.longest, len(words))

    def oldest_fresh(self, as_of: date) -> dict[str, date]:
        """The oldest day on which a value is not stale on ``as_of``, for the facts whose values grow old. The latest few days are kept."""
        found = self._oldest.get(as_of)
        if found is None:
            if len(self._oldest) >= _DAYS:
                self._oldest.clear()
            fresh = {one.id: one.fresh for one in self.register.values() if one.source != "derived"}
            found = self._oldest[as_of] = {name: add_back(as_of, length) for name, length in fresh.items() if length is not None}
        return found

    def coded(self, codes: Iterable[Code]) -> dict[str, Code]:
        """Fact ids named by any of the codes, each with the code that did it; ICD-10 and ATC entries also stand for what is below them."""
        found: dict[str, Code] = {}
        for code in codes:
            plain = _plain_code(code.system, code.code)
            keys = [plain[:length] for length in range(3, len(plain) + 1)] if code.system in {"icd10", "atc"} else [plain]
            for key in keys:
                for fact in self.codes.get((code.system, key), ()):
                    found.setdefault(fact, code)
        return found

    def mentioned(self, text: str) -> tuple[tuple[str, str, Mention], ...]:
        """Every fact that a text speaks of, as (fact id, phrase, how). The longest phrase at a place wins.

        Texts read before are kept, up to a limit: lists of many patients hold the same names.
        """
        found = self._read.get(text)
        if found is None:
            if len(self._read) >= _KEPT:
                self._read.clear()
            found = self._read[text] = tuple(self._mentions(text))
        return found

    def _mentions(self, text: str) -> Iterator[tuple[str, str, Mention]]:
        if not text:
            return
        for clause in _CLAUSE.split(f" {_ANSWERED.sub(' ', text)} "):
            words = words_of(clause)
            start = 0
            while start < len(words):
                step = 1
                for length in range(min(self.longest, len(words) - start), 0, -1):
                    phrase = " ".join(words[start:start + length])
                    facts = self.phrases.get(phrase)
                    if facts is None:
                        continue
                    how = _how(words[max(0, start - _WINDOW):start], words[start + length:start + length + _WINDOW], words[start:start + length])
                    if how is not None:
                        for fact in facts:
                            yield fact, phrase, how
                    if length > 1:
                        # Shorter phrases inside stay valid for other facts ("end stage renal disease" is also "renal disease").
                        yield from self._inside(words[start:start + length], facts, how)
                    step = length
                    break
                start += step

    def _inside(self, words: list[str], taken: list[str], how: Mention | None) -> Iterator[tuple[str, str, Mention]]:
        if how is None:
            return
        for start in range(len(words)):
            for end in range(start + 1, len(words) + 1):
                if end - start == len(words):
                    continue
                phrase = " ".join(words[start:end])
                for fact in self.phrases.get(phrase, ()):
                    if fact not in taken and _how(words[max(0, start - _WINDOW):start], words[end:end + _WINDOW], words[start:end]) == "yes":
                        yield fact, phrase, how


_LAST_INDEX: list[Index] = []


def index_of(register: Register) -> Index:
    """The index of a register; the latest few are kept, since one register serves many patients."""
    for index in _LAST_INDEX:
        if index.register is register:
            return index
    index = Index(register)
    _LAST_INDEX.insert(0, index)
    del _LAST_INDEX[4:]
    return index


def words_of(text: str) -> list[str]:
    """The words of a text, case-folded, without punctuation or invisible characters."""
    return _WORD.findall(text.replace("\u200b", "").replace("\ufeff", "").casefold())


def _how(before: list[str], after: list[str], phrase: list[str]) -> Mention | None:
    """How a phrase is meant, from the words round it; None when it speaks of somebody else."""
    ahead, behind = f" {' '.join(before)} ", f" {' '.join(after)} "
    # The phrase may itself begin with "history of": the cue then ends inside it.
    if _any(f"{ahead}{' '.join(phrase)} ", _BEFORE_OTHER):
        return None
    if _any(ahead, _BEFORE_OPEN):
        return "unsure"
    if _any(ahead, _BEFORE_NO) or behind.startswith(tuple(f" {cue} " for cue in _AFTER_NO)):
        return "no"
    if _any(behind, _AFTER_OPEN):
        return "unsure"
    if _any(ahead, _BEFORE_PAST) or _any(behind, _AFTER_PAST):
        return "past"
    return "yes"


def _any(text: str, cues: tuple[str, ...]) -> bool:
    return any(f" {cue} " in text for cue in cues)


def _systems(codes: Codes) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from (("loinc", codes.loinc), ("snomed", codes.snomed), ("snomed", codes.retired), ("icd10", codes.icd10), ("rxnorm", codes.rxnorm),
                ("ndc", codes.ndc), ("cvx", codes.cvx), ("atc", codes.atc), ("hcpcs", codes.hcpcs))


def _plain_code(system: str, code: str) -> str:
    if system == "icd10":
        return code.replace(".", "").upper()
    if system == "ndc":
        return plain_ndc(code)
    return code.strip().upper() if system in {"atc", "hcpcs"} else code.strip()


def plain_ndc(code: str) -> str:
    """Labeller and product of a US drug code as 5 + 4 digits, from any dashed form or the 11-digit billing form; else the code as it is."""
    parts = code.strip().split("-")
    if len(parts) >= 2 and all(part.isdigit() for part in parts):
        return f"{parts[0]:0>5}-{parts[1]:0>4}"
    digits = code.strip()
    return f"{digits[:5]}-{digits[5:9]}" if digits.isdigit() and len(digits) == 11 else digits
