"""The web pages: server-rendered, one process, no build step."""

from __future__ import annotations

from fastapi import APIRouter

from ivigil.service.pages import ask_pages, compare_pages, forecast_pages, home_page, kept_pages, plan_pages, reference_pages, review_pages

error_page = home_page.error_page
router = APIRouter()
for _pages in (ask_pages, compare_pages, forecast_pages, home_page, kept_pages, plan_pages, reference_pages, review_pages):
    router.include_router(_pages.router)
