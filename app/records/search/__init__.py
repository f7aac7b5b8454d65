"""Finding records of any object by what a person remembers of them: one statement for all objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.access import catalogs
from app.core.errors import FieldError
from app.metadata.environment import region_of
from app.metadata.searchtext import configuration
from app.records.errors import UnknownObject
from app.records.reach import guard_of
from app.records.read import check_limits
from app.records.search.snippets import snippet
from app.records.search.statement import statement
from app.records.search.terms import Asked, fold, understand
from app.records.statements import ShapeCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

__all__ = ["fold", "search"]

#: Behind every text that starts with the one before it, in code point order.
_LAST: Final = "\U0010ffff"
#: Two trigrams of four must agree: of three letters all words would be alike, and of long questions they say nothing.
_SIMILAR_LENGTH: Final = range(4, 60)
#: Of three words the right ones find it; only where one or two are all there is, a wrong letter hides the title.
_SIMILAR_TERMS: Final = 2
#: With fewer strict results than this, similar titles are looked for too.
_FEW: Final = 3
_SHORT: Final = 2
_TEXTS: Final = ShapeCache(256)


def search(scope: TenantScope, q: str, objects: tuple[str, ...] = (), limit: int = 10) -> list[dict[str, object]]:
    """Answer ``[{"object", "id", "title", "snippet", "score"}]``, best first; empty ``objects`` means all.

    ``snippet`` is HTML: text escaped, what was found inside ``<mark>``.

    Raises:
        InvalidInput: nothing to look for, or too much of it.
        UnknownObject: one of ``objects`` does not exist.
    """
    check_limits(limit)
    asked = understand(q, region_of(scope.tenant.locale, scope.tenant.timezone))
    catalog = catalogs.for_scope(scope)
    wanted = _objects(catalog, objects)
    phrases = bool(asked.phrases)
    similar = not phrases and _has_likes(asked)
    shape = (tuple(obj.spec_hash for obj in wanted), phrases, similar)
    text = _TEXTS.get(shape, lambda: statement(catalog, wanted, phrases=phrases, similar=similar).encode())
    binds = _binds(scope, asked, limit)
    for obj in wanted:
        binds |= guard_of(catalog, obj, "g", "read").binds(scope)
    rows = scope.cursor_text().execute(text, binds).fetchall()
    return [
        {
            "object": name,
            "id": record_id,
            "title": title or "",
            "snippet": snippet(around or "", asked.words),
            "score": round(float(score), 4),
        }
        for name, record_id, title, score, around in rows
    ]


def _has_likes(asked: Asked) -> bool:
    """Whether titles like it are worth looking for: of numbers and long questions they are not."""
    letters = any(character.isalpha() for character in asked.folded)
    return letters and len(asked.folded) in _SIMILAR_LENGTH and len(asked.terms) <= _SIMILAR_TERMS


def _binds(scope: TenantScope, asked: Asked, limit: int) -> dict[str, object]:
    """Parameters of the statement."""
    return {
        "language": configuration(scope.tenant.locale),
        "stems": [term.stem for term in asked.terms],
        "raws": [term.raw for term in asked.terms],
        "words": [" ".join(term.words) for term in asked.terms],
        "phrases": list(asked.phrases),
        "q": asked.folded,
        "q_end": asked.folded + _LAST,
        "likes": [f"%{_like(word)}%" for word in asked.words],
        "identifier": asked.identifier,
        "me": scope.member.id if scope.member else None,
        "few": _FEW,
        # Of two words the one without the other is rarely meant; of a question it often is.
        "enough": limit if len(asked.terms) > _SHORT else 1,
        "limit": limit,
    }


def _like(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _objects(catalog: Catalog, names: Sequence[str]) -> list[ObjectType]:
    known = catalog.objects
    for name in names:
        if name not in known:
            message = f"This workspace has no object called {name!r}."
            raise UnknownObject(message, [FieldError("?object", UnknownObject.code, message)])
    return [obj for obj in known.values() if (obj.name in names if names else obj.timeline)]
