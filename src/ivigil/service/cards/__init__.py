"""CDS Hooks: cards in the record system at the moment of ordering."""

from __future__ import annotations

from ivigil.service.cards.doors import router

__all__ = ["router"]
