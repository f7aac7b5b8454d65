"""SQL of what search reads of a record: one tsvector, the column ``_search``, with a GIN index on the same text.

It holds, in one index, so that one read of it answers whatever a person types:

- the words of the searchable fields, stemmed in the record's language (``_language``, by default the workspace's when
  the record was written);
- the words of the title as they are, for prefixes while typing;
- as whole lexemes what identifies a record: every e-mail address and phone number, domain, web address, codes, external
  id, amounts of money; and the main phone number backwards, so that its last digits find it.

Everything is folded (no case, no accents) before it is stemmed; what a person types goes through the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.metadata.sortkeys import fold_sql, quoted, sort_key_sql, title_sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.metadata.model import Field, ObjectType

SEARCH: Final = "_search"
LANGUAGE: Final = "_language"
#: What search reads of a record; more could exceed a tsvector (1 MB) and make the write fail.
SEARCH_LENGTH: Final = 250_000
#: The same of text beyond ASCII: a letter takes up to four bytes, and each of a compound (``a-b``) is kept twice.
_WIDE_LENGTH: Final = 120_000
#: A lexeme has at most 2,046 bytes; a longer one makes the write fail.
_LEXEME: Final = 255
#: Before the digits of a phone number backwards.
BACKWARDS: Final = "~"
SIMPLE: Final = "pg_catalog.simple"
#: The scope tells the workspace's locale by this setting; ``_language`` is its first part.
LANGUAGE_DEFAULT: Final = "left(current_setting('rapport.language', true), 2)"
#: Language → text search configuration of PostgreSQL; all others are not stemmed.
_CONFIGURATIONS: Final = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali",
    "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


def configuration(locale: str) -> str:
    """The text search configuration of a locale: ``de-AT`` → ``pg_catalog.german``."""
    name = _CONFIGURATIONS.get(locale[:2].lower())
    return f"pg_catalog.{name}" if name else SIMPLE


def search_sql(object_type: ObjectType) -> str | None:
    """The tsvector of a record, ``None`` for objects without searchable fields; without a title, its other words."""
    if not any(field.searchable and field.stored for field in object_type.fields.values()):
        return None
    text = text_sql(object_type)
    folded = fold_sql(f"left({text}, {SEARCH_LENGTH})")
    narrow = f"octet_length({text}) = char_length({text})"
    length = f"CASE WHEN {narrow} THEN {SEARCH_LENGTH} ELSE {_WIDE_LENGTH} END"
    words = f"to_tsvector({_configuration_sql()}, left({folded}, {length}))"
    if not object_type.title:
        return f"({words} || {_identifiers_sql(object_type)})"
    title = f"to_tsvector('{SIMPLE}', {sort_key_sql(title_sql(object_type))})"
    return f"({words} || {title} || {_identifiers_sql(object_type)})"


def text_sql(object_type: ObjectType, prefix: str = "") -> str:
    """The searchable fields joined by blanks; ``prefix`` is an alias with its dot."""
    texts = [
        prefix + quoted(field.columns[0].name)
        for field in object_type.fields.values()
        if field.searchable and field.stored
    ]
    return " || ' ' || ".join(f"coalesce({text}, '')" for text in texts) or "''"


def _configuration_sql() -> str:
    """Constants only, as an index wants: a cast of the column to regconfig is not immutable.

    An array, not a CASE: every statement that names ``_search`` is planned with this expression in it.
    """
    codes, names = ",".join(_CONFIGURATIONS), ",".join(f"pg_catalog.{name}" for name in _CONFIGURATIONS.values())
    found = f"('{{{names}}}'::regconfig[])[array_position('{{{codes}}}'::text[], {quoted(LANGUAGE)})]"
    return f"coalesce({found}, regconfig '{SIMPLE}')"


def _identifiers_sql(object_type: ObjectType) -> str:
    """Whole lexemes; null and empty ones, which a tsvector can't hold, are left out."""
    single = [text for field in object_type.fields.values() for text in _identifiers(field)]
    many = [quoted(c.name) for field in object_type.fields.values() for c in field.columns if c.part == "all"]
    joined = " || ".join([f"array[{', '.join(single)}]::text[]", *many])
    return f"array_to_tsvector(array_remove(array_remove({joined}, null), ''))"


def _identifiers(field: Field) -> Iterator[str]:
    if field.computed:
        return
    column = quoted(field.columns[0].name) if field.columns else ""
    if field.type.name == "phone":
        yield f"'{BACKWARDS}' || reverse({column})"
    elif field.type.name == "money":
        yield f"trim_scale({column})::text"
    elif field.type.name == "url":
        address = rf"regexp_replace({column}, '^[a-zA-Z]+://(www\.)?', '')"
        yield f"left({fold_sql(address)}, {_LEXEME})"
    elif field.type.name == "domain" or (field.type.name == "text" and field.unique):
        yield f"left({fold_sql(column)}, {_LEXEME})"
