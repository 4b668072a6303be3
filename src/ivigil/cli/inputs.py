"""From options and site files to a planning context: every choice checked, all problems at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.cli.output import Progress
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.partly_read import every_problem
from ivigil.patient.record import Record
from ivigil.planning.choices import Choices, Collected, SiteProfile, day_of, for_record
from ivigil.planning.choices import context_of as chosen_context
from ivigil.planning.draft import Context, PriceItem, StockItem

__all__ = ["Choices", "Collected", "SiteProfile", "context_of", "day_of", "every_problem", "for_record", "load", "read_profile", "read_site", "records_of",
           "site_of", "text_of"]

T = TypeVar("T", bound=msgspec.Struct)

_LARGEST = 4_000_000


def load(choices: Choices) -> Evidence:
    """The evidence these choices ask for, with progress while it is compiled.

    Raises:
        BadInput: a folder is missing, or the evidence has problems.
    """
    with Progress("Compiling the evidence") as progress:
        return load_evidence(_folder(choices.evidence), _folder(choices.overlay), progress)


def _folder(name: str) -> Path | None:
    return Path(name) if name else None


def context_of(choices: Choices, evidence: Evidence, today: date) -> Context:
    """The context that the options and the site profile set; an option wins over the profile.

    Raises:
        BadInput: an unknown id, a malformed date or file, a day that lies ahead - all of them listed.
    """
    found = Collected()
    site = found.attempt(lambda: read_site(choices), SiteProfile())
    context = found.attempt(lambda: chosen_context(choices, site, evidence, today, option="--{}".format), None)
    if found.problems or context is None:
        raise BadInput(found.problems)
    return context


def read_site(choices: Choices) -> SiteProfile:
    """The site profile with its lists read, an option winning over the profile; the defaults when no profile is named.

    Raises:
        BadInput: a file is missing or malformed; every problem is listed.
    """
    found = Collected()
    profile = found.attempt(lambda: read_profile(choices.site), SiteProfile()) if choices.site else SiteProfile()
    formulary = found.attempt(lambda: _formulary(choices, profile), ())
    stock = found.attempt(lambda: _items(choices.stock, profile.stock, choices.site, StockItem), ())
    prices = found.attempt(lambda: _items(choices.prices, profile.prices, choices.site, PriceItem), ())
    if found.problems:
        raise BadInput(found.problems)
    return msgspec.structs.replace(profile, formulary=formulary, stock=stock, prices=prices)


def site_of(choices: Choices, evidence: Evidence, today: date) -> SiteProfile:
    """The site profile of a service; ``--jurisdiction`` wins over its own. Everything it names is checked, as for a plan.

    Raises:
        BadInput: an unknown id, or a bad file; every problem is listed.
    """
    site = read_site(choices)
    site = msgspec.structs.replace(site, jurisdiction=choices.jurisdiction or site.jurisdiction)
    anywhere = Choices(jurisdiction=site.jurisdiction or next(iter(evidence.jurisdictions)))  # a service may leave the place to each caller
    chosen_context(anywhere, site, evidence, today, option="--{}".format)
    return site


def records_of(name: str, evidence: Evidence) -> Iterator[Record]:
    """The patients of a file, a folder or standard input (``-``), one after the other.

    Raises:
        BadInput: the source cannot be read or holds nobody; patients before the problem have been given out.
    """
    from ivigil.patient.read import read_records

    empty = True
    for record in read_records(Path(name), evidence.facts, {product.id: product.codes for product in evidence.products.values()}):
        empty = False
        yield record
    if empty:
        raise BadInput([Problem(name, 0, "", "no patient in it", "give a patient record, a Bundle with a Patient, or a folder of NDJSON files")])


def read_profile(name: str) -> SiteProfile:
    """A site profile from a YAML or JSON file.

    Raises:
        BadInput: the file is missing or malformed; every problem is listed.
    """
    plain, lines = _document(name)
    return _shaped(plain if plain is not None else {}, SiteProfile, name, lines)


def _formulary(choices: Choices, profile: SiteProfile) -> tuple[str, ...]:
    name = choices.formulary or (_beside(choices.site, profile.formulary) if isinstance(profile.formulary, str) else "")
    if not name:
        return tuple(profile.formulary)
    plain, lines = _document(name)
    if not isinstance(plain, list) or not all(isinstance(entry, str) for entry in plain):
        raise BadInput([Problem(name, lines.get((), 0), "", "a formulary is a list of product ids", "write each on a line that starts with '- '")])
    return tuple(plain)


def _items(option: str, own: tuple[T, ...] | str, site: str, shape: type[T]) -> tuple[T, ...]:
    name = option or (_beside(site, own) if isinstance(own, str) else "")
    if not name:
        return tuple(own) if not isinstance(own, str) else ()
    plain, lines = _document(name)
    if not isinstance(plain, list):
        raise BadInput([Problem(name, lines.get((), 0), "", "expected a list", "write each entry on lines that start with '- '")])
    problems: list[Problem] = []
    shaper = Shaper()
    items = [shaper.read(entry, shape, name, lines, (index,), problems) for index, entry in enumerate(plain)]
    if problems:
        raise BadInput(problems)
    return tuple(item for item in items if item is not None)


def _beside(profile: str, name: str) -> str:
    return str(Path(profile).parent / name) if name else ""


def _document(name: str) -> tuple[Any, Lines]:
    return read_yaml(text_of(Path(name)), name)


def text_of(path: Path) -> str:
    """The text of a settings file.

    Raises:
        BadInput: it cannot be read, is too large or is not UTF-8.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput([Problem(str(path), 0, "", "the file is larger than 4 MB", "name a settings file")])
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInput([Problem(str(path), 0, "", error.strerror or "the file cannot be read", "check the name")]) from None
    except UnicodeDecodeError:
        raise BadInput([Problem(str(path), 0, "", "the file is not UTF-8 text", "save it as UTF-8")]) from None


def _shaped(plain: Any, shape: type[T], place: str, lines: Lines) -> T:
    problems: list[Problem] = []
    value = Shaper().read(plain, shape, place, lines, (), problems)
    if value is None:
        raise BadInput(problems)
    return value
