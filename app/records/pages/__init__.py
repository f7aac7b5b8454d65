"""The records' pages: lists, boards, record pages, search, trash. Thin: parse, call the API's verbs, render."""

from __future__ import annotations

from app.records.pages.blueprint import blueprint

__all__ = ["blueprint"]
