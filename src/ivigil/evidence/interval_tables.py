"""Which rows of antibody intervals may decide for a vaccine at a place: the nearest table, the one it follows, then vaccine labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ivigil.evidence.care import AntibodyInterval

ANY_PRODUCT = "any antibody product"
INTRAVENOUS, SUBCUTANEOUS = "igiv", "igsc"


class IntervalTable:
    """The rows that may decide for an antigen at some places, the nearest jurisdiction's first, labels that speak of any antibody product last.

    Places and antigens with the same rows share one table, so that tables compare by identity.
    """

    def __init__(self, rows: tuple[AntibodyInterval, ...]) -> None:
        self.rows = rows
        self._fitting: dict[tuple[str, str], tuple[AntibodyInterval, ...]] = {}

    def fitting(self, kind: str, purpose: str) -> tuple[AntibodyInterval, ...]:
        """The rows of the nearest jurisdiction that speak of this kind of antibody product, whatever its dose; else those of labels for any product."""
        key = (kind, purpose)
        found = self._fitting.get(key)
        if found is None:
            covering = [row for row in self.rows if not row.vaccine_product and _covers(row, kind, purpose)]
            place = covering[0].jurisdiction if covering else ""
            found = tuple(row for row in covering if row.jurisdiction == place) or tuple(row for row in self.rows if row.vaccine_product)
            self._fitting[key] = found
        return found


def _covers(row: AntibodyInterval, kind: str, purpose: str) -> bool:
    if kind in row.products:
        return True
    if not kind or row.product != kind:
        return False
    return kind != INTRAVENOUS or not row.purpose or row.purpose == purpose


Tables = tuple[IntervalTable, ...]
"""The tables of all antigens of a vaccine at some places, each once."""


class IntervalTables:
    """The tables of an evidence, found when they are first asked for and kept."""

    def __init__(self, by_antigen: Mapping[str, tuple[AntibodyInterval, ...]], followed: Iterable[tuple[str, str]]) -> None:
        self._by_antigen = by_antigen
        self._followed = tuple(followed)
        self._tables: dict[tuple[str, ...], IntervalTable] = {}
        self._found: dict[tuple[tuple[str, ...], tuple[str, ...]], Tables] = {}

    def of(self, places: tuple[str, ...], antigens: tuple[str, ...]) -> Tables:
        """The table of each antigen of a vaccine at ``places``; antigens that share one count once.

        Rows for a vaccine of a single component count only where it has one antigen.
        """
        key = (places, antigens)
        found = self._found.get(key)
        if found is None:
            tables = [self._table(self._rows(places, antigen, alone=len(antigens) == 1)) for antigen in antigens]
            found = self._found[key] = tuple(dict.fromkeys(tables))
        return found

    def _table(self, rows: tuple[AntibodyInterval, ...]) -> IntervalTable:
        return self._tables.setdefault(tuple(row.id for row in rows), IntervalTable(rows))

    def _rows(self, places: tuple[str, ...], antigen: str, *, alone: bool) -> tuple[AntibodyInterval, ...]:
        about = self._by_antigen.get(antigen, ())
        rows = [row for row in about if not row.while_ and not row.vaccine_product and (alone or not row.single_component)]
        # Where a table was not read, the one that it follows stands in.
        near = dict.fromkeys((*places, *(stands_in for place, stands_in in self._followed if place in places)))
        labels = [row for row in about if row.vaccine_product and ANY_PRODUCT in row.products and row.jurisdiction in {"", *places}]
        return (*(row for place in near for row in rows if row.jurisdiction == place), *labels)
