"""The web pages: server-rendered, one process, no build step."""

from __future__ import annotations

from fastapi import APIRouter

from ivigil.service.pages import home_page, plan_pages, reference_pages

error_page = home_page.error_page
router = APIRouter()
for _pages in (home_page, plan_pages, reference_pages):
    router.include_router(_pages.router)
