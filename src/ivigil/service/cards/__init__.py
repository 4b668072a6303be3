"""CDS Hooks: cards in the record system at the moment of ordering."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
