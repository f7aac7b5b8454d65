from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from app.metadata import catalog
from app.metadata.ddl.names import index_name, unique_name
from app.metadata.sortkeys import equal_key_sql, fold_sql

if TYPE_CHECKING:
    from uuid import UUID

    Tables = psycopg.Connection[Any]


def plan(tables: Tables, query: str, *params: object) -> str:
    rows = tables.execute("explain (costs off) " + query, params).fetchall()  # pyright: ignore[reportArgumentType]
    return "\n".join(row[0] for row in rows)


def company(tables: Tables, name: str, **more: object) -> UUID:
    columns = ", ".join(("name", *more))
    marks = ", ".join(["%s"] * (1 + len(more)))
    query = f"insert into o_company ({columns}) values ({marks}) returning id"
    row = tables.execute(query, (name, *more.values())).fetchone()  # pyright: ignore[reportArgumentType]
    assert row is not None
    return row[0]


@pytest.fixture
def many(tables: Tables) -> Tables:
    tables.execute("insert into o_company (name) select 'Company ' || md5(g::text) from generate_series(1, 5000) g")
    tables.execute("analyze o_company")
    return tables


def test_every_column_of_the_catalog_is_a_real_column_of_its_type(tables: Tables) -> None:
    query = "select column_name, format_type(a.atttypid, -1) from information_schema.columns c join pg_attribute a on"
    query += " a.attrelid = %s::regclass and a.attname = c.column_name where c.table_name = %s"
    for object_type in catalog.platform().objects.values():
        found = dict(tables.execute(query, (object_type.table, object_type.table)).fetchall())  # pyright: ignore[reportArgumentType]
        for field in object_type.fields.values():
            for column in field.columns:
                wanted = {"timestamptz": "timestamp with time zone"}.get(column.sql_type, column.sql_type)
                assert found[column.name] == wanted, (object_type.name, column.name)


def test_a_workspace_stays_far_below_its_budget_of_tables(tables: Tables) -> None:
    row = tables.execute("select count(*) from pg_tables where schemaname = 'workspace'").fetchone()
    assert row == (13 + 3,)


def test_a_list_by_title_walks_the_title_index(many: Tables) -> None:
    query = "select id from o_company where deleted_at is null order by _title_key, id limit 50"
    assert plan(many, query).splitlines()[1].strip() == "->  Index Scan using o_company__title__idx on o_company"
    backwards = "select id from o_company where deleted_at is null order by _title_key desc, id desc limit 50"
    assert "Index Scan Backward using o_company__title__idx" in plan(many, backwards)


def test_the_next_page_starts_inside_the_title_index(many: Tables) -> None:
    key = many.execute("select _title_key, id from o_company order by 1, 2 offset 2500 limit 1").fetchone()
    assert key is not None
    query = "select id from o_company where (_title_key, id) > (%s, %s) order by _title_key, id limit 50"
    found = plan(many, query, *key)
    assert "Index Scan using o_company__title__idx" in found
    assert "Index Cond: (ROW(" in found
    assert "Sort" not in found


def test_a_prefix_and_a_part_of_a_title_use_its_indexes(many: Tables) -> None:
    prefix = plan(many, "select id from o_company where _title_key like %s", "company abc%")
    assert "o_company__title" in prefix
    part = plan(many, "select id from o_company where _title_key like %s", "%bcdef%")
    assert "o_company__title_part__idx" in part


def test_search_uses_its_index(many: Tables) -> None:
    query = "select id from o_company where _search @@ to_tsquery('pg_catalog.simple', %s)"
    assert "o_company__search__idx" in plan(many, query, "abcdef:*")


def test_titles_sort_without_case_and_accents(tables: Tables) -> None:
    for name in ("Zoo", "école", "Eclair", "ÉTÉ", "apple", "Ökonom"):
        company(tables, name)
    rows = tables.execute("select _title from o_company order by _title_key, id").fetchall()
    assert [row[0] for row in rows] == ["apple", "Eclair", "école", "ÉTÉ", "Ökonom", "Zoo"]


def test_a_contact_is_titled_by_name_else_email_else_phone(tables: Tables) -> None:
    insert = "insert into o_contact (first_name, last_name, email, phone) values (%s, %s, %s, %s) returning _title"
    people = [
        (("Ada", "Lovelace", "a@b.co", None), "Ada Lovelace"),
        (("Ada", None, None, None), "Ada"),
        ((None, "Lovelace", None, None), "Lovelace"),
        ((None, None, "a@b.co", "+491"), "a@b.co"),
        ((None, None, None, "+491"), "+491"),
        ((None, None, None, None), None),
    ]
    for values, title in people:
        assert tables.execute(insert, values).fetchone() == (title,)


def test_a_note_without_title_shows_the_start_of_its_text(tables: Tables) -> None:
    insert = "insert into o_note (body) values (%s) returning _title"
    assert tables.execute(insert, ("<p>Call  <b>back</b></p><p>soon</p>",)).fetchone() == ("Call back soon",)


def test_a_unique_domain_ignores_case_and_is_free_again_in_the_trash(tables: Tables) -> None:
    first = company(tables, "One", domain="example.com")
    with pytest.raises(psycopg.errors.UniqueViolation) as caught, tables.transaction():
        company(tables, "Two", domain="EXAMPLE.com")
    assert caught.value.diag.constraint_name == unique_name("o_company", "domain")
    tables.execute("update o_company set deleted_at = now() where id = %s", (first,))
    company(tables, "Two", domain="Example.com")


def test_a_product_code_keeps_its_accents_apart(tables: Tables) -> None:
    tables.execute("insert into o_product (name, code) values ('a', 'resume'), ('b', 'résumé')")
    with pytest.raises(psycopg.errors.UniqueViolation), tables.transaction():
        tables.execute("insert into o_product (name, code) values ('c', 'RÉSUMÉ')")
    query = (
        f"select name from o_product where {equal_key_sql('code')} = {equal_key_sql('%s::text')} and deleted_at is null"
    )
    assert tables.execute(query, ("Résumé",)).fetchall() == [("b",)]  # pyright: ignore[reportArgumentType]


def test_external_ids_are_unique_exactly(tables: Tables) -> None:
    company(tables, "One", external_id="a")
    company(tables, "Two", external_id="A")
    with pytest.raises(psycopg.errors.UniqueViolation), tables.transaction():
        company(tables, "Three", external_id="a")


def test_links_are_guarded_and_one_statement_may_take_parent_and_child(tables: Tables) -> None:
    parent = company(tables, "Parent")
    child = company(tables, "Child", parent=parent)
    tables.execute("insert into o_contact (last_name, company) values ('x', %s)", (child,))
    with pytest.raises(psycopg.errors.ForeignKeyViolation) as caught, tables.transaction():
        tables.execute("delete from o_company where id = %s", (child,))
    assert caught.value.diag.constraint_name == "o_contact__company__fkey"
    tables.execute("with c as (delete from o_contact where company = %s) delete from o_company", (child,))
    assert tables.execute("select count(*) from o_company").fetchone() == (0,)


def test_a_purge_may_take_records_in_any_order_when_checks_wait_for_the_end(tables: Tables) -> None:
    parent = company(tables, "Parent")
    company(tables, "Child", parent=parent)
    with tables.transaction():
        tables.execute("set constraints all deferred")
        tables.execute("delete from o_company where id = %s", (parent,))
        tables.execute("delete from o_company where parent = %s", (parent,))


def test_a_record_link_has_exactly_one_end_on_each_side(tables: Tables) -> None:
    one = company(tables, "One")
    task = tables.execute("insert into o_task (title) values ('Call') returning id").fetchone()
    assert task is not None
    tables.execute("insert into o_record_link (from__task, to__company) values (%s, %s)", (task[0], one))
    for query in (
        "insert into o_record_link (from__task) values (%(task)s)",
        "insert into o_record_link (from__task, to__company, to__task) values (%(task)s, %(one)s, %(task)s)",
    ):
        with pytest.raises(psycopg.errors.CheckViolation), tables.transaction():
            tables.execute(query, {"task": task[0], "one": one})


def test_the_longest_texts_can_be_written(tables: Tables) -> None:
    company(tables, "\U00020000" * 1_000, description=" ".join(chr(0x20000 + n) for n in range(40_000)))
    company(tables, "\ufdfa" * 1_000, description="\ufdfa " * 125_000)


def test_search_finds_words_without_case_and_accents(tables: Tables) -> None:
    company(tables, "Müller & Söhne", domain="mueller.example", description="Bäckerei in Gößweinstein")
    asked = f"plainto_tsquery('pg_catalog.simple', {fold_sql('%s::text')})"
    for words in ("muller", "SOHNE", "gossweinstein", "mueller.example"):
        query = f"select count(*) from o_company where _search @@ {asked}"
        assert tables.execute(query, (words,)).fetchone() == (1,), words  # pyright: ignore[reportArgumentType]


def test_names_stay_within_what_postgresql_keeps() -> None:
    names = {index_name("o_" + "x" * 50, "y" * 49 + end, "idx") for end in "ab"}
    assert all(len(name) <= 63 for name in names)
    assert len(names) == 2
