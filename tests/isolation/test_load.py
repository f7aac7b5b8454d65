"""What one sender may cost all others: texts made to be slow, bodies that never end, memory, counters."""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.http import parse_options_header

from app.core.mail import Smtp
from app.core.streamsafe import MOST_MARKS, is_stream_safe
from app.expressions.errors import ConditionError
from app.expressions.parse import parse
from app.http.health import metrics
from app.imports.api import csv_answer
from app.records.statements import ShapeCache
from tenants.identity import passwords
from tenants.identity.addresses import counted_as, normalise_email
from tenants.identity.sign_up import SignUp
from tenants.registry.naming import suggest_slug
from tests.support.web import BASE, Browser

from .conftest import House, call

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from app.core.ports import Runtime

#: Seconds of this thread's own work. Before it was refused, any of these took 15 to minutes.
SOON = 5.0
ACCENTS = "a" + "\u0300\u0327" * 60_000


def took(act: Callable[[], object]) -> float:
    started = time.thread_time()
    act()
    return time.thread_time() - started


def test_a_letter_with_thousands_of_accents_keeps_nobody_busy() -> None:
    with pytest.raises(Exception, match="e-mail"):
        normalise_email(f"{ACCENTS}@example.com")
    for act in (
        lambda: passwords.problem_with(ACCENTS),
        lambda: passwords.verify(None, ACCENTS),
        lambda: suggest_slug(ACCENTS),
        lambda: counted_as(ACCENTS),
    ):
        assert took(act) < SOON


def test_thirty_accents_are_text_and_one_more_is_not() -> None:
    assert is_stream_safe("e" + "\u0301" * MOST_MARKS + "e\u0301" * 1000)
    assert is_stream_safe("Việt Nam, नमस्ते, שָׁלוֹם, Ελλάδα, ประเทศไทย")
    assert not is_stream_safe("e" + "\u0301\u0327" * MOST_MARKS)


def test_the_sign_up_form_answers_soon_whatever_is_typed(site: Flask) -> None:
    browser = Browser(site)
    form = {"company": "Slow", "slug": "", "name": "x", "email": "a@example.com", "password": "a green badger"}
    for name in ("company", "email", "password", "name"):
        typed = form | {name: ACCENTS[:80_000]}
        if name == "name":
            typed["password"] = "short"
        pages: list[int] = []
        assert took(lambda: pages.append(browser.post(f"{BASE}/sign-up", typed).status)) < SOON  # noqa: B023
        assert pages == [422]


def test_accents_without_end_are_stored_asked_and_searched_nowhere(site: Flask, houses: tuple[House, House]) -> None:
    ours, _ = houses
    key = ours.keys["owner"]
    text = ACCENTS[:20_000]
    made = call(site, "POST", ours.url, "/api/v1/records/note", key=key, json={"title": "x", "body": text})
    assert (made.status_code, made.json["errors"][0]["code"]) == (422, "text.marks")
    for query in ({"filter": f'name == "{text}"'}, {"q": text}):
        path = "/api/v1/search" if "q" in query else "/api/v1/records/company"
        answers: list[int] = []
        assert (
            took(lambda: answers.append(call(site, "GET", ours.url, path, key=key, query_string=query).status_code))  # noqa: B023
            < SOON
        )
        assert answers == [422]


@pytest.mark.parametrize("opening", ['"', "'", '"""', "'''", 'r"'])
def test_a_quote_that_never_ends_is_read_once(opening: str) -> None:
    def read() -> None:
        with pytest.raises(ConditionError):
            parse(opening + '\\"' * 12_000 + "\\'" * 12_000)

    assert took(read) < SOON


@pytest.mark.parametrize("encoding", ["bz2", "zlib", "hex", "idna", "punycode", "unicode_escape", "undefined", "rot13"])
def test_a_codec_that_unpacks_or_runs_away_is_no_encoding_of_a_file(
    site: Flask, houses: tuple[House, House], encoding: str
) -> None:
    answer = send_import(site, houses[0], b"name\nAcme\n", encoding=encoding)
    assert (answer.status_code, answer.json["code"]) == (422, "import.invalid")


@pytest.mark.parametrize("delimiter", ["\0", "\n", '"'])
def test_a_delimiter_that_delimits_nothing_is_refused(site: Flask, houses: tuple[House, House], delimiter: str) -> None:
    assert send_import(site, houses[0], b"name\nAcme\n", delimiter=delimiter).status_code == 422


@pytest.mark.parametrize("name", ['x"; filename="y.csv', "x\r\nX-Evil: 1.csv", "y\u6f22.csv", "a\\b;c.csv"])
def test_a_files_name_writes_no_header(name: str) -> None:
    header = csv_answer("", name).headers["Content-Disposition"]
    assert header.isascii()
    assert header.isprintable()
    kind, options = parse_options_header(header)
    assert (kind, options["filename"]) == ("attachment", name.replace("\r\n", ""))
    assert set(options) == {"filename"}


@pytest.mark.parametrize("body", ["[" * 300_000, '{"name": ' + "[" * 300_000, '{"amount": 1e9999999999999999999999}'])
def test_json_beyond_measure_is_refused_in_words(site: Flask, houses: tuple[House, House], body: str) -> None:
    ours, _ = houses
    answer = call(
        site, "POST", ours.url, "/api/v1/records/deal", key=ours.keys["owner"], data=body,
        content_type="application/json",
    )  # fmt: skip
    assert answer.status_code in {400, 422}


class Watched(io.BytesIO):
    """A body that notes how many connections of the pod are in use while it is read."""

    def __init__(self, content: bytes, runtime: Runtime) -> None:
        super().__init__(content)
        self.runtime, self.busy = runtime, set[int]()

    def _note(self) -> None:
        self.busy.add(self.runtime.databases.pod(1).pool.checkedout())  # type: ignore[attr-defined]

    def read(self, size: int | None = -1, /) -> bytes:
        self._note()
        return super().read(size)

    def readinto(self, buffer: Any, /) -> int:
        self._note()
        return super().readinto(buffer)


@pytest.mark.parametrize("session", [False, True])
def test_a_body_is_there_before_a_connection_is_taken(
    site: Flask, houses: tuple[House, House], runtime: Runtime, *, session: bool
) -> None:
    ours, _ = houses
    used = runtime.databases.pod(1).pool.checkedout()  # type: ignore[attr-defined]
    credentials = {"session": ours.sessions["owner"]} if session else {"key": ours.keys["owner"]}
    form = ("/preferences", b"theme=dark&csrf_token=wrong", "application/x-www-form-urlencoded")
    bulk = ("/api/v1/records/company/bulk?mode=create", b"[" + b" " * 3_000_000 + b"]", "application/json")
    for path, content, kind in (form, bulk, ("/api/v1/records/company", b'{"name": "slow"}', "application/json")):
        body = Watched(content, runtime)
        answer = call(
            site, "POST", ours.url, path, input_stream=body, content_type=kind, content_length=len(content),
            **credentials,
        )  # fmt: skip
        assert answer.status_code in ({403} if session or path == form[0] else {200, 201}), answer.text
        assert body.busy == {used}, path


def test_a_large_body_is_taken_only_from_who_may_send_it(
    site: Flask, houses: tuple[House, House], runtime: Runtime
) -> None:
    ours, theirs = houses
    path = "/api/v1/records/company/bulk?mode=create"
    for key, status in ((ours.keys["read_only"], 403), (theirs.keys["owner"], 404), ("rap_x_y", 401)):
        body = Watched(b"[" + b" " * 3_000_000 + b"]", runtime)
        answer = call(
            site, "POST", ours.url, path, key=key, input_stream=body, content_type="application/json",
            content_length=3_000_002,
        )  # fmt: skip
        assert answer.status_code == status
        assert not body.busy


def test_an_idempotency_key_tells_one_file_from_another(site: Flask, houses: tuple[House, House]) -> None:
    headers = {"Idempotency-Key": f"file-{houses[0].canary}"}
    first = send_import(site, houses[0], b"name\nOne\n", headers=headers)
    assert send_import(site, houses[0], b"name\nOne\n", headers=headers).json == first.json
    assert send_import(site, houses[0], b"name\nTwo\n", headers=headers).status_code == 422


def test_methods_of_any_name_are_counted_as_one(site: Flask) -> None:
    for number in range(5):
        call(site, f"INVENTED{number}", BASE, "/healthz")
    assert "INVENTED" not in metrics.text()
    assert 'method="other"' in metrics.text()


def test_statements_of_huge_shapes_are_not_kept() -> None:
    kept = ShapeCache()
    assert kept.get(("list", "x" * 100_000), lambda: "made") == "made"
    assert kept.get(("list", "x"), lambda: "made") == "made"
    assert len(kept) == 1


def test_an_address_is_counted_as_one_however_it_is_written() -> None:
    for typed in ("victim@example.com", " Victim@EXAMPLE.com ", "victim@ｅｘａｍｐｌｅ.com"):  # noqa: RUF001
        assert counted_as(typed) == "victim@example.com"


def test_secrets_stay_out_of_representations() -> None:
    mailer = Smtp.from_url("smtp://user:hunter2@mail.example:587", "a@example.com")
    assert mailer.password == "hunter2"
    assert "hunter2" not in repr(mailer)
    assert "hunter2" not in repr(SignUp("c", "s", "n", "e@example.com", "hunter2"))


def send_import(site: Flask, house: House, content: bytes, **more: Any) -> Any:
    headers, name = more.pop("headers", {}), more.pop("name", "companies.csv")
    options = {"object": "company", "map": ["name=name"], **more}
    data = {
        "options": (io.BytesIO(json.dumps(options).encode()), "options.json", "application/json"),
        "file": (io.BytesIO(content), name),
    }
    return call(site, "POST", house.url, "/api/v1/imports", key=house.keys["owner"], data=data, headers=headers)
