"""``rich_text``: formatted text as HTML, sanitised when written so that every reader may show it as it is."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Final

import nh3

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.single import SingleColumn, nullable
from app.metadata.fieldtypes.strings import checked_text

if TYPE_CHECKING:
    from app.metadata.fieldtypes.base import Coercion
    from app.metadata.model import Field

LIMIT: Final = 250_000
#: What the editor (Trix) writes, plus what mails and pasted documents need to stay readable.
_TAGS: Final = """
    a b blockquote br code del div em h1 h2 h3 h4 hr i li ol p pre s span strong sub sup
    table tbody td th thead tr u ul
"""
_CLEANER: Final = nh3.Cleaner(
    tags=set(_TAGS.split()),
    clean_content_tags={"script", "style", "iframe", "object", "template", "svg", "math", "noscript", "title"},
    attributes={"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel="noopener noreferrer nofollow",
    strip_comments=True,
)
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>")


class RichTextType(SingleColumn):
    """Sanitised HTML; scripts, styles, images, event handlers and unknown tags are gone."""

    name = "rich_text"
    condition = "text"
    sortable = False

    def coerce(self, field: Field, raw: object, ctx: Coercion) -> Any:  # noqa: ARG002
        """Sanitise. What holds no visible text is empty."""
        text = checked_text(raw, LIMIT)
        if text is None:
            return None
        clean = _CLEANER.clean(text)
        if len(clean) > LIMIT:
            raise ValueProblem("text.too_long", f"Must be at most {LIMIT:,} characters once written as HTML")
        return clean if plain(clean).strip() else None

    def parse(self, field: Field, text: str, ctx: Coercion) -> Any:
        """A cell without tags is plain text: its lines become paragraphs, ``<`` stays a character."""
        if text and not _TAG.search(text):
            lines = html.escape(text, quote=False).splitlines()
            text = "".join(f"<p>{line}</p>" for line in lines if line.strip())
        return self.coerce(field, text, ctx)

    def json_schema(self, field: Field) -> dict[str, object]:  # noqa: ARG002
        """A string of HTML or null."""
        return nullable({"type": "string", "contentMediaType": "text/html", "maxLength": LIMIT})

    def format(self, field: Field, value: object, locale: str, timezone: str) -> str:  # noqa: ARG002
        """The text without tags."""
        return " ".join(plain(str(value)).split()) if value else ""


def shown(markup: str) -> str:
    """HTML for a page, sanitised once more: what stands in the database need not have come through this program."""
    return _CLEANER.clean(markup)


def plain(markup: str) -> str:
    """The text of sanitised HTML without its tags."""
    return html.unescape(_TAG.sub(" ", markup))


TYPE = RichTextType()
