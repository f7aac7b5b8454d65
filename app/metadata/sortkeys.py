"""SQL of titles, sort keys and equality without case (DESIGN §6); what search reads is in ``searchtext``.

Every o_ table carries the results as VIRTUAL columns, so that queries name a column and the planner finds the
expression index behind it:

- ``_title``: what people see as the record's name;
- ``_title_key``: its sort key, COLLATE pg_unicode_fast; index on (key, id) and a trigram index.

Words typed by a person go through the same folding: ``_title_key like fold_sql('%s') || '%%'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg.sql import Identifier

if TYPE_CHECKING:
    from app.metadata.model import Field, ObjectType

TITLE: Final = "_title"
TITLE_KEY: Final = "_title_key"
#: What a sort key is cut to: a longer one could exceed an index entry (2,700 bytes) and make the write fail.
KEY_LENGTH: Final = 255
_TITLE_FROM_HTML: Final = 200


def quoted(name: str) -> str:
    """An identifier of the catalog, quoted."""
    return Identifier(name).as_string()


def fold_sql(text_sql: str) -> str:
    """Text without case and accents: what search and sorting compare. Takes a column, an expression or a bind."""
    return rf"casefold(regexp_replace(normalize({text_sql}, NFKD), '[\u0300-\u036f]', '', 'g') COLLATE pg_unicode_fast)"


def sort_key_sql(column_sql: str) -> str:
    """The sort key of a text; null stays null. Sort by it and by ``id`` for a total order."""
    return f"left({fold_sql(column_sql)}, {KEY_LENGTH})"


def equal_key_sql(column_sql: str) -> str:
    """What unique texts are compared by: case ignored, accents kept."""
    return f"normalize(casefold({column_sql} COLLATE pg_unicode_fast), NFC)"


def title_sql(object_type: ObjectType) -> str:
    """The title from the record's own columns: its title fields joined, else the first other one that is set."""
    names = [_text(object_type.fields[name]) for name in object_type.title]
    main = names[0]
    if len(names) > 1:
        joined = " || ' ' || ".join(f"coalesce({name}, '')" for name in names)
        main = f"nullif(btrim({joined}), '')"
    others = [_text(object_type.fields[name]) for name in object_type.title_else]
    return f"coalesce({', '.join([main, *others])})" if others else main


def _text(field: Field) -> str:
    if field.computed:
        # A generated column may not name another: a formula of the record alone is written out, others are not there.
        return f"({field.formula.sql[0]})" if field.formula is not None and field.formula.sql else "null::text"
    column = quoted(field.columns[0].name)
    if field.type.name == "rich_text":
        return rf"nullif(btrim(left(regexp_replace({column}, '(<[^>]*>|\s)+', ' ', 'g'), {_TITLE_FROM_HTML})), '')"
    return column
