"""The one statement of a search: strict ways of each object first; weaker ones run only where those found too little.

- *strict*: every word (or the identifier, the phrase), one read of the object's search index; and the start of titles;
- *alike*: titles that look like it, by trigrams, when almost nothing was found;
- *partly*: any of the words, for questions. Postings of each word are read up to a limit, rare words count more.

What is left is scored: title first, then BM25 over the text (Robertson, Zaragoza 2009; k1 = 2.5, b = 0.75, the title
counted twice), with a little for what is new and for one's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg.sql import Literal

from app.metadata.searchtext import SEARCH, SIMPLE, search_sql, text_sql
from app.metadata.sortkeys import TITLE_KEY, fold_sql, quoted
from app.records.reach import visible, whole
from app.records.titles import title_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.metadata.model import Catalog, ObjectType

#: Words of a question whose postings are read, the longest, which tend to be the rarest; all of them are scored.
_READ: Final = 14
#: Rows of an object read for all words, read for one word, kept of an object, scored in all.
_STRICT, _POSTINGS, _KEPT, _SCORED = 300, 400, 25, 40
#: As good as any number of results: the very title that was typed.
_PLENTY: Final = 1_000
#: What is read of a record's text to score it and to cut its snippet from.
_SCORED_TEXT: Final = 6_000
_SNIPPET_TEXT: Final = 6_000
_K1, _B = "2.5", "0.75"
#: How a record was found, best last.
_PARTLY, _ALIKE, _ALL, _STARTS, _SAME = range(1, 6)

_TERMS: Final = """
WITH terms AS MATERIALIZED (
  SELECT n, word, numnode(s) = 0 AND word <> '' AS stopped, s || r AS q, r
    FROM (SELECT n, word, CASE WHEN stem = '' THEN ''::tsquery ELSE to_tsquery(%(language)s::regconfig, stem) END AS s,
                 raw::tsquery AS r
            FROM unnest(%(stems)s::text[], %(raws)s::text[], %(words)s::text[]) WITH ORDINALITY t(stem, raw, word, n)
         ) AS t),
asked AS MATERIALIZED (
  SELECT coalesce(string_agg('(' || q::text || ')', ' & ') FILTER (WHERE NOT stopped),
                  string_agg('(' || r::text || ')', ' & '))::tsquery AS q,
         (SELECT string_agg('(' || p::text || ')', ' & ')::tsquery
            FROM (SELECT phraseto_tsquery(%(language)s::regconfig, phrase) AS p
                    FROM unnest(%(phrases)s::text[]) AS phrase) AS phrases WHERE numnode(p) > 0) AS phrase
    FROM terms),
"""
_RANKED: Final = f"""
found AS (
  SELECT object, id, max(way) AS way, max(partly) AS partly
    FROM (SELECT object, id, way, 0::float8 AS partly FROM strict
          UNION ALL SELECT object, id, {_ALIKE}, 0 FROM alike
          UNION ALL SELECT * FROM (
            SELECT object, id, {_PARTLY}, sum(weight * share) AS partly FROM postings JOIN weights USING (object, n)
             GROUP BY object, id ORDER BY partly DESC LIMIT greatest({_SCORED}, %(limit)s)) AS best) AS ways
   GROUP BY object, id ORDER BY way DESC, partly DESC, id DESC LIMIT greatest({_SCORED}, %(limit)s)),
"""
#: A word with more postings than were read says little, and of which records it was read is chance. How many records
#: there are is PostgreSQL's estimate, and for a table it has not looked at yet, as many as were read.
_WEIGHTS: Final = f"""
weights AS MATERIALIZED (
  SELECT object, n, ln(1 + (total - hits + 0.5) / (hits + 0.5)) AS weight,
         CASE WHEN hits < {_POSTINGS} THEN 1 ELSE 0.1 END AS share
    FROM (SELECT object, n, hits, CASE WHEN rows > 1 THEN greatest(rows, max(hits) OVER (PARTITION BY object))
                                       ELSE sum(hits) OVER (PARTITION BY object) END::float8 AS total
            FROM (SELECT object, n, rows, CASE WHEN count(*) < {_POSTINGS} THEN count(*)
                                               ELSE greatest(count(*), rows / 10) END AS hits
                    FROM postings JOIN sizes USING (object)
                   GROUP BY object, n, rows) AS read) AS counted),
"""
#: The words of what is not ranked by its title.
_WORDS: Final = f"""
  SELECT *, CASE WHEN way > {_ALL} OR way = {_ALL} AND key LIKE ALL (%(likes)s::text[]) THEN NULL
                 ELSE to_tsvector(%(language)s::regconfig, {fold_sql("body")} || ' ' || key) END AS words"""
#: ts_rank of one word is sum(1/i², i = 1 … n) · 6/π² for n occurrences, close to 1 less 6/π² / (n + ½): n is read back
#: from it, several times faster than by unnesting the tsvector.
_SCORES: Final = f"""
lexemes AS MATERIALIZED (
  SELECT n, ('''' || replace(lexeme, '''', '''''') || '''')::tsquery AS q
    FROM terms CROSS JOIN LATERAL unnest(tsvector_to_array(to_tsvector(%(language)s::regconfig, word))) AS lexeme),
relevance AS (
  SELECT f.object, f.id,
         sum(coalesce(weight, 1) * tf * ({_K1} + 1) / (tf + {_K1} * (1 - {_B} + {_B} * length / usual))) AS bm
    FROM (SELECT d.object, d.id, l.n, length, usual,
                 1 / (1.64493406685 * (1 - ts_rank('{{1,1,1,1}}', words, q))) - 0.5 AS tf
            FROM (SELECT object, id, words, length(body)::float8 AS length,
                         greatest(avg(length(body)) OVER (), 1)::float8 AS usual
                    FROM documents WHERE words IS NOT NULL) AS d
            JOIN lexemes l ON d.words @@ l.q) AS f
    LEFT JOIN weights USING (object, n)
   GROUP BY f.object, f.id)
SELECT object, id, title, 0.94 * base + 0.03 * exp(-date_part('day', now() - updated_at) / 90)
       + CASE WHEN owner = %(me)s::uuid THEN 0.03 ELSE 0 END AS score, around
  FROM (SELECT *, CASE WHEN key = %(q)s THEN 1.0
                       WHEN way >= {_ALL} AND %(identifier)s THEN 0.95
                       WHEN starts_with(key, %(q)s) THEN 0.9
                       WHEN way >= {_ALL} AND key LIKE ALL (%(likes)s::text[]) THEN 0.8
                       WHEN way >= {_ALL} THEN 0.4 + 0.3 * coalesce(bm, 0) / (coalesce(bm, 0) + 8)
                       WHEN way = {_ALIKE} THEN 0.3 + 0.35 * word_similarity(%(q)s, key)
                       ELSE 0.4 * coalesce(bm, 0) / (coalesce(bm, 0) + 8) END AS base
          FROM documents LEFT JOIN relevance USING (object, id)) AS scored
 ORDER BY score DESC, length(title), title, id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class _Searched:
    """An object as whoever asks may search it: ``place`` is its table narrowed to what they reach.

    ``recheck`` is the tsvector of what they may read, where the one that is kept says more; ``key`` the folded title.
    """

    object: ObjectType
    place: str
    recheck: str
    key: str

    @property
    def name(self) -> str:
        """Its name as a literal."""
        return Literal(self.object.name).as_string()

    @property
    def has_search(self) -> bool:
        """Whether any field of it is searched."""
        return any(field.searchable for field in self.object.fields.values())

    def matches(self, query: str) -> str:
        """The condition that a record's text matches; the index serves its first part."""
        return f"{SEARCH} @@ {query}" + (f" AND {self.recheck} @@ {query}" if self.recheck else "")


def statement(catalog: Catalog, objects: Sequence[ObjectType], *, phrases: bool, similar: bool) -> str:
    """The text for these objects; the package's ``_binds`` has its parameters."""
    every = [_searched(catalog, obj) for obj in objects]
    titled = [one for one in every if not one.object.masked]
    strict = [text for one in every for text in (_strict(one, phrases=phrases), _titles(one))]
    looks = [_similar(one) for one in titled] if similar else []
    nothing = "SELECT NULL::text AS object, NULL::uuid AS id, 0 AS way WHERE false"
    no_postings = "SELECT NULL::text AS object, NULL::bigint AS n, NULL::uuid AS id WHERE false"
    postings = [_postings(one) for one in every if one.has_search] if not phrases else []
    sizes = ", ".join(f"({one.name}, {Literal(whole(one.object)).as_string()}::regclass)" for one in every)
    return (
        f"{_TERMS}strict AS MATERIALIZED ({_union(strict) or nothing}),"
        " total AS MATERIALIZED ("
        f"SELECT CASE WHEN bool_or(way = {_SAME}) THEN {_PLENTY} ELSE count(DISTINCT id) END AS n FROM strict),"
        f" alike AS MATERIALIZED ({_union(looks) or nothing}),"
        " rest AS MATERIALIZED (SELECT n, q FROM terms WHERE (SELECT n FROM total) < %(enough)s"
        "   AND (NOT stopped OR (SELECT bool_and(stopped) FROM terms))"
        f"   ORDER BY length(word) DESC, n LIMIT {_READ}),"
        f" postings AS MATERIALIZED ({_union(postings) or no_postings}),"
        f" sizes AS (SELECT object, greatest(reltuples, 1)::float8 AS rows FROM (VALUES {sizes}) AS t(object, place)"
        "   JOIN pg_catalog.pg_class c ON c.oid = place),"
        f"{_WEIGHTS}{_RANKED}documents AS MATERIALIZED ({_WORDS}"
        f" FROM ({_union([_document(one) for one in every])}) AS raw OFFSET 0),{_SCORES}"
    )


def _searched(catalog: Catalog, obj: ObjectType) -> _Searched:
    complete = (catalog.whole or catalog).objects[obj.name]
    hidden = complete.fields.keys() - obj.fields.keys()
    table, _ = visible(catalog, obj)
    recheck = (search_sql(obj) or "").replace("%", "%%") if hidden else ""
    return _Searched(obj, table, recheck, f"lower({title_sql(obj, 't')})" if obj.masked else f"t.{quoted(TITLE_KEY)}")


def _strict(one: _Searched, *, phrases: bool) -> str:
    """All words of an object that has searchable fields. A phrase is looked for among what has its words."""
    if not one.has_search:
        return ""
    text = one.recheck or SEARCH
    phrase = " WHERE coalesce(text @@ (SELECT phrase FROM asked), true)" if phrases else ""
    also = f", {text} AS text" if phrases else ""
    return (
        f"(SELECT {one.name} AS object, id, {_way('key')} AS way FROM (SELECT id, {one.key} AS key{also}"
        f" FROM {one.place} t WHERE deleted_at IS NULL AND {one.matches('(SELECT q FROM asked)')} LIMIT {_STRICT}) AS s"
        f"{phrase} ORDER BY way DESC, id DESC LIMIT greatest({_KEPT}, %(limit)s))"
    )


def _titles(one: _Searched) -> str:
    """The start of titles, in their order, so that the same title is the first."""
    if one.object.masked:
        return ""
    key = one.key
    return (
        f"(SELECT {one.name} AS object, id, CASE WHEN {key} = %(q)s THEN {_SAME} ELSE {_STARTS} END AS way"
        f" FROM {one.place} t WHERE deleted_at IS NULL"
        f" AND {key} >= %(q)s AND {key} < %(q_end)s ORDER BY {key}, id LIMIT greatest({_KEPT}, %(limit)s))"
    )


def _similar(one: _Searched) -> str:
    """Titles like it, or with it inside, where almost nothing was found.

    The condition on the tsvector is always true; its price keeps the planner from reading the table instead of the
    trigrams, for it takes folding a title to be free.
    """
    key = one.key
    return (
        f"(SELECT {one.name} AS object, id, {_ALIKE} AS way FROM {one.place} t"
        f" WHERE (SELECT n FROM total) < %(few)s AND deleted_at IS NULL AND {key} %%> (SELECT %(q)s)"
        f" AND to_tsvector('{SIMPLE}', {key}) IS NOT NULL"
        f" ORDER BY word_similarity(%(q)s, {key}) DESC LIMIT greatest({_KEPT}, %(limit)s))"
    )


def _postings(one: _Searched) -> str:
    """Which records have which word, each word up to a limit."""
    return (
        f"(SELECT {one.name} AS object, rest.n, p.id FROM rest CROSS JOIN LATERAL"
        f" (SELECT id FROM {one.place} t WHERE deleted_at IS NULL AND {one.matches('rest.q')}"
        f" LIMIT {_POSTINGS}) AS p)"
    )


def _document(one: _Searched) -> str:
    """What scoring and the answer need of the records found."""
    owner = "t.owner" if "owner" in one.object.fields else "NULL::uuid AS owner"
    return (
        f"(SELECT f.object, f.id, f.way, {title_sql(one.object, 't')} AS title, {one.key} AS key, {owner},"
        f" t.updated_at, left({text_sql(one.object, 't.')}, {_SCORED_TEXT}) AS body,"
        f" left({_around(one.object)}, {_SNIPPET_TEXT}) AS around"
        f" FROM found f JOIN {one.place} t ON t.id = f.id WHERE f.object = {one.name})"
    )


def _around(obj: ObjectType) -> str:
    """The text a snippet is cut from: what is searchable, title fields apart."""
    fields = [field for field in obj.fields.values() if field.searchable and field.name not in obj.title]
    columns = ", ".join(f"t.{quoted(field.columns[0].name)}" for field in fields)
    return f"concat_ws(' · ', {columns})" if columns else "''"


def _way(key: str) -> str:
    return f"CASE WHEN {key} = %(q)s THEN {_SAME} WHEN starts_with({key}, %(q)s) THEN {_STARTS} ELSE {_ALL} END"


def _union(parts: Sequence[str]) -> str:
    return " UNION ALL ".join(part for part in parts if part)
