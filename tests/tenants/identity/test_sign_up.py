"""Signing up: from the form into the workspace, and everything that may be wrong with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.http import ratelimit
from tests.support.web import BASE, Browser

if TYPE_CHECKING:
    from app.core.ports import Runtime

Companies = Callable[..., Any]


def test_signing_up_ends_signed_in_at_the_workspaces_own_host(sign_up: Companies) -> None:
    company = sign_up()
    assert company.page.host == f"{company.slug}.localhost"
    assert company.page.path == "/"
    me = company.browser.get(f"{company.url}/api/v1/me")
    assert me.response.json["tenant"]["slug"] == company.slug
    assert me.response.json["member"]["role"] == "owner"
    assert me.response.json["member"]["email"] == company.email


def test_the_session_cookies_are_host_cookies(sign_up: Companies, browser: Browser) -> None:
    browser.follow = False
    company = sign_up(browser)
    cookie = company.page.response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-rapport_person=")
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts
    assert not any(part.startswith("Domain") for part in parts)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("company", "  ", "Enter your company"),
        ("email", "olivia", "Enter an e-mail address"),
        ("password", "short", "at least 8 characters"),
        ("password", "password1", "attackers try first"),
        ("slug", "ab", "3 to 40"),
        ("slug", "Näh!", "3 to 40"),
        ("slug", "www", "reserved"),
    ],
)
def test_a_wrong_field_is_named_and_the_rest_stays(
    sign_up: Companies, runtime: Runtime, field: str, value: str, said: str
) -> None:
    before = _counts(runtime)
    company = sign_up(**{field: value})
    assert company.page.status == 422
    assert said in company.page.text
    assert 'aria-invalid="true"' in company.page.text
    assert "Olivia Owner" in company.page.text
    assert "seven purple walruses" not in company.page.text
    assert _counts(runtime) == before


def test_a_password_like_the_company_or_the_address_is_refused(sign_up: Companies) -> None:
    assert "too close" in sign_up(company="Walrus Works", password="WalrusWorks1!").page.text
    assert "too close" in sign_up(email="helena.lindqvist@example.com", password="Lindqvist2024").page.text
    assert "too close" in sign_up(company="Müller & Söhne", password="MullerSohne!1").page.text
    assert "too close" in sign_up(company="BBW", slug="bright-boats", password="brightboats99").page.text


def test_a_long_pass_phrase_with_spaces_and_any_script_is_fine(sign_up: Companies) -> None:
    assert sign_up(password="δεν ξέρω τίποτα " * 8).page.path == "/"


def test_the_address_is_made_from_the_company_when_left_empty(sign_up: Companies) -> None:
    number = uuid.uuid4().hex[:8]
    company = sign_up(company=f"Müller & Söhne {number}", slug="")
    assert company.page.host == f"muller-sohne-{number}.localhost"


def test_a_taken_address_is_said_while_typing_and_refused_at_the_end(sign_up: Companies, browser: Browser) -> None:
    company = sign_up()
    typed = browser.get(f"{BASE}/sign-up/address?company=Other&slug={company.slug}&suggested=other", HX_Request="true")
    assert "taken" in typed.text
    again = sign_up(slug=company.slug)
    assert again.page.status == 422
    assert "taken" in again.page.text


def test_the_suggestion_follows_the_company_until_the_address_is_edited(browser: Browser) -> None:
    first = browser.get(f"{BASE}/sign-up/address?company=Blue Whale&slug=&suggested=")
    assert 'value="blue-whale"' in first.text
    assert "free" in first.text
    follows = browser.get(f"{BASE}/sign-up/address?company=Blue Whales&slug=blue-whale&suggested=blue-whale")
    assert 'name="slug" type="text" value="blue-whales"' in follows.text
    edited = browser.get(f"{BASE}/sign-up/address?company=Blue Whales&slug=moby&suggested=blue-whale")
    assert 'name="slug" type="text" value="moby"' in edited.text


def test_a_second_sign_up_with_an_address_looks_the_same_and_takes_nothing_over(sign_up: Companies) -> None:
    first = sign_up()
    second = sign_up(email=first.email, password="another good password")
    assert (second.page.status, second.page.path) == (first.page.status, first.page.path)
    assert second.browser.get(f"{first.url}/api/v1/me").status == 401
    workspaces = second.browser.get(f"{BASE}/workspaces")
    assert first.slug not in workspaces.text


def test_a_sign_up_with_the_same_password_adds_a_workspace_to_the_person(sign_up: Companies) -> None:
    first = sign_up()
    second = sign_up(email=first.email)
    listed = second.browser.get(f"{BASE}/workspaces").text
    assert first.slug in listed
    assert second.slug in listed


def test_who_is_signed_in_adds_a_workspace_without_another_account(sign_up: Companies, runtime: Runtime) -> None:
    company = sign_up()
    people = _counts(runtime)[0]
    form = company.browser.get(f"{BASE}/sign-up")
    assert 'name="password"' not in form.text
    assert company.email in form.text
    slug = f"second-{uuid.uuid4().hex[:8]}"
    page = company.browser.post(f"{BASE}/sign-up", {"company": "Second", "slug": slug})
    assert (page.host, page.path) == (f"{slug}.localhost", "/")
    assert _counts(runtime)[0] == people
    wrong = company.browser.post(f"{BASE}/sign-up", {"company": "Third", "slug": slug})
    assert wrong.status == 422
    assert "taken" in wrong.text


def test_a_failed_sign_up_leaves_nothing(
    sign_up: Companies, runtime: Runtime, flask_app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("no pod today")

    before = _counts(runtime)
    monkeypatch.setattr("tenants.identity.sign_up.create_tenant", broken)
    assert sign_up().page.status == 500
    assert _counts(runtime) == before


def test_sign_ups_from_one_address_are_limited(sign_up: Companies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "SIGN_UP", ratelimit.Bucket(1, 0.001))
    assert sign_up().page.path == "/"
    refused = sign_up()
    assert refused.page.status == 429
    assert int(refused.page.response.headers["Retry-After"]) > 0


def _counts(runtime: Runtime) -> tuple[int, ...]:
    with runtime.databases.control.connect() as connection:
        return tuple(
            connection.execute(sa.text(f"select count(*) from {table}")).scalar_one()
            for table in ("person", "person_email", "tenant", "membership", "person_session")
        )
