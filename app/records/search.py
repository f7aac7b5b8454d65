"""Finding records of any object by what a person remembers of them: one statement for all objects.

Each object is asked in up to five ways, each answered by an index and cut at the limit: title from its start, part of
the title (trigrams), words of the searchable fields, an e-mail address, a phone number. The best way a record was
found by decides its place.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from app.core.errors import FieldError, InvalidInput
from app.metadata import catalog as catalogs
from app.metadata.fieldtypes.phone import e164
from app.records.errors import UnknownObject
from app.records.intake import region_of
from app.records.read import check_limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.metadata.model import Field, ObjectType
    from tenants.scope import TenantScope

_LONGEST: Final = 200
_MAX_WORDS: Final = 8
#: Trigrams need three characters; shorter texts are found from the start of titles and words only.
_TRIGRAM: Final = 3
_SNIPPET: Final = 120
_SNIPPET_SOURCE: Final = 1000
_MIN_DIGITS: Final = 5
_SAME, _ADDRESS, _START, _PART, _WORDS = "1.0", "0.95", "0.9", "0.6", "0.4"
#: Behind every text that starts with the one before it, in code point order.
_LAST: Final = "\U0010ffff"
_TAGS: Final = re.compile(r"<[^>]*>")
_UNORDERED: Final = sql.SQL("")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was typed, in the forms the indexes hold."""

    folded: str
    words: tuple[str, ...]
    email: str
    phone: str

    @property
    def binds(self) -> dict[str, object]:
        """Parameters of the statement."""
        like = self.folded.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        return {
            "q": self.folded,
            "q_end": self.folded + _LAST,
            "q_part": f"%{like}%",
            "q_words": " & ".join(f"{word}:*" for word in self.words),
            "q_email": [self.email],
            "q_phone": [self.phone],
        }


def search(scope: TenantScope, q: str, objects: tuple[str, ...] = (), limit: int = 10) -> list[dict[str, object]]:
    """Answer ``[{"object", "id", "title", "snippet", "score"}]``, best first; empty ``objects`` means all.

    Raises:
        InvalidInput: nothing to look for, or too much of it.
        UnknownObject: one of ``objects`` does not exist.
    """
    check_limits(limit)
    asked = _understand(q, region_of(scope.tenant.locale, scope.tenant.timezone))
    parts = [part for obj in _objects(scope, objects) for part in _ways(obj, asked)]
    found = sql.SQL(
        "SELECT * FROM (SELECT DISTINCT ON (object, id) object, id, title, score, around FROM ({parts}) AS way"
        " ORDER BY object, id, score DESC) AS best ORDER BY score DESC, length(title), title, id LIMIT %(limit)s"
    ).format(parts=sql.SQL(" UNION ALL ").join(parts))
    rows = scope.cursor_text().execute(found, {**asked.binds, "limit": limit}).fetchall()
    return [
        {
            "object": name,
            "id": record_id,
            "title": title or "",
            "snippet": _snippet(around, asked),
            "score": float(score),
        }
        for name, record_id, title, score, around in rows
    ]


def fold(text: str) -> str:
    """Text without case and accents, as ``app.metadata.sortkeys.fold_sql`` folds columns."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not "\u0300" <= c <= "\u036f").casefold()


def _understand(q: str, region: str) -> _Asked:
    text = " ".join(q.split())
    # Folding takes the square of a run of accents, so a text that is too long is not even looked at.
    words = tuple(dict.fromkeys(re.findall(r"\w+", fold(text[:_LONGEST]))))[:_MAX_WORDS]
    if not words or len(text) > _LONGEST or "\x00" in text:
        message = f"q holds 1 to {_LONGEST} characters, letters or digits among them."
        raise InvalidInput(message, [FieldError("?q", "q.invalid", message)])
    digits = sum(character.isdigit() for character in text)
    phone = ""
    if digits >= _MIN_DIGITS and re.fullmatch(r"[\d\s()+./-]+", text):
        phone = e164(text, region) or text
    return _Asked(fold(text), words, text.lower() if "@" in text else "", phone)


def _objects(scope: TenantScope, names: Sequence[str]) -> Iterable[ObjectType]:
    known = catalogs.for_scope(scope).objects
    for name in names:
        if name not in known:
            message = f"This workspace has no object called {name!r}."
            raise UnknownObject(message, [FieldError("?object", UnknownObject.code, message)])
    return [obj for obj in known.values() if (obj.name in names if names else obj.timeline)]


def _ways(obj: ObjectType, asked: _Asked) -> list[sql.Composable]:
    """The selects that may find a record of ``obj``."""
    key = sql.Identifier("_title_key")
    start = sql.SQL("{key} >= %(q)s AND {key} < %(q_end)s").format(key=key)
    same = sql.SQL(f"CASE WHEN {{key}} = %(q)s THEN {_SAME} ELSE {_START} END").format(key=key)
    ways = [_way(obj, start, same, sql.SQL("ORDER BY {key}, id").format(key=key))]
    if len(asked.folded) >= _TRIGRAM:
        ways.append(_way(obj, sql.SQL("{key} LIKE %(q_part)s").format(key=key), sql.SQL(_PART)))
    if any(field.searchable for field in obj.fields.values()):
        ways.append(_way(obj, sql.SQL("_search @@ to_tsquery('pg_catalog.simple', %(q_words)s)"), sql.SQL(_WORDS)))
    for kind, value, bind in (("emails", asked.email, "q_email"), ("phones", asked.phone, "q_phone")):
        for field in obj.fields.values():
            if value and field.type.name == kind:
                column = next(column.name for column in field.columns if column.part == "all")
                match = sql.SQL("{column} && {values}::text[]").format(
                    column=sql.Identifier(column), values=sql.Placeholder(bind)
                )
                ways.append(_way(obj, match, sql.SQL(_ADDRESS)))
    return ways


def _way(
    obj: ObjectType, condition: sql.Composable, score: sql.Composable, order: sql.Composable = _UNORDERED
) -> sql.Composable:
    return sql.SQL(
        "(SELECT {name} AS object, id, _title AS title, {score}::float8 AS score, {around} AS around FROM {table}"
        " WHERE deleted_at IS NULL AND {condition} {order} LIMIT %(limit)s)"
    ).format(
        name=sql.Literal(obj.name),
        score=score,
        around=_around(obj),
        table=sql.Identifier(obj.table),
        condition=condition,
        order=order,
    )


def _around(obj: ObjectType) -> sql.Composable:
    """The text a snippet is cut from: what is searchable, title fields apart."""
    fields: list[Field] = [field for field in obj.fields.values() if field.searchable and field.name not in obj.title]
    if not fields:
        return sql.SQL("''")
    columns = sql.SQL(", ").join(sql.Identifier(field.columns[0].name) for field in fields)
    return sql.SQL("left(concat_ws(' · ', {columns}), {cut})").format(columns=columns, cut=sql.Literal(_SNIPPET_SOURCE))


def _snippet(around: Any, asked: _Asked) -> str:
    """A piece of ``around`` with the first word that was asked for, else its beginning."""
    text = " ".join(_TAGS.sub(" ", str(around or "")).split())
    if len(text) <= _SNIPPET:
        return text
    lowered = text.casefold()
    places = [place for word in asked.words if (place := lowered.find(word)) >= 0]
    begin = max(0, min(places, default=0) - _SNIPPET // 3)
    piece = text[begin : begin + _SNIPPET].strip()
    return f"{'…' if begin else ''}{piece}{'…' if begin + _SNIPPET < len(text) else ''}"
