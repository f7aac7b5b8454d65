"""Signing in and out, sessions, forgotten passwords; and that nobody learns who has an account."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import time_machine

from app.core import clock
from app.http import ratelimit
from tenants.identity import people, sessions
from tests.support.web import BASE, Browser

if TYPE_CHECKING:
    from app.core.ports import Runtime

Companies = Callable[..., Any]
Mails = Callable[[str], list[Any]]
PASSWORD = "seven purple walruses"


def sign_in(browser: Browser, email: str, password: str = PASSWORD, **more: str) -> Any:
    return browser.post(f"{BASE}/sign-in", {"email": email, "password": password, **more})


def test_signing_in_leads_into_the_only_workspace(sign_up: Companies, browser: Browser) -> None:
    company = sign_up()
    page = sign_in(browser, company.email.upper())
    assert (page.host, page.path) == (f"{company.slug}.localhost", "/")
    assert browser.get(f"{company.url}/api/v1/me").status == 200


def test_a_deep_link_survives_the_way_through_sign_in(sign_up: Companies, browser: Browser) -> None:
    company = sign_up()
    page = browser.get(f"{company.url}/settings/members?invited=")
    assert (page.host, page.path) == ("localhost", "/sign-in")
    target = page.text.split('name="next" value="')[1].split('"')[0].replace("&amp;", "&")
    there = sign_in(browser, company.email, next=target)
    assert there.url == f"{company.url}/settings/members?invited="


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\\\\evil.example"]
)
def test_no_redirect_leads_to_another_site(sign_up: Companies, browser: Browser, target: str) -> None:
    company = sign_up()
    browser.follow = False
    page = sign_in(browser, company.email, next=target)
    assert page.response.headers["Location"] == f"{company.url}/session/start"


def test_unknown_address_and_wrong_password_get_the_same_answer(sign_up: Companies, flask_app: Any) -> None:
    company = sign_up()
    wrong = sign_in(Browser(flask_app), company.email, "not the password")
    unknown = sign_in(Browser(flask_app), "nobody@example.com", "not the password")
    assert wrong.status == unknown.status == 422
    masked = _masked(wrong.text.replace(company.email, "EMAIL"))
    assert masked == _masked(unknown.text.replace("nobody@example.com", "EMAIL"))
    assert "E-mail or password is wrong" in wrong.text


def test_unknown_address_and_wrong_password_take_the_same_time(sign_up: Companies, runtime: Runtime) -> None:
    company = sign_up()

    def seconds(email: str) -> float:
        started = time.process_time()
        with pytest.raises(people.WrongCredentials):
            people.authenticate(runtime, email, "not the password")
        return time.process_time() - started

    seconds(company.email), seconds("nobody@example.com")
    known = [seconds(company.email) for _ in range(9)]
    unknown = [seconds("nobody@example.com") for _ in range(9)]
    assert statistics.median(known) == pytest.approx(statistics.median(unknown), rel=0.25)


def test_guessing_one_account_is_slowed_and_others_are_not(sign_up: Companies, flask_app: Any) -> None:
    company, other = sign_up(), sign_up()
    browser = Browser(flask_app)
    answers = [sign_in(browser, company.email, f"guess {number}").status for number in range(7)]
    assert answers == [422] * 5 + [429] * 2
    assert sign_in(browser, company.email).status == 429
    assert sign_in(Browser(flask_app), other.email).path == "/"


def test_one_address_may_not_try_all_accounts(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "SIGN_IN_ADDRESS", ratelimit.Bucket(3, 0.001))
    answers = [sign_in(browser, f"person{number}@example.com", "guess").status for number in range(5)]
    assert answers == [422, 422, 422, 429, 429]


def test_the_session_changes_at_sign_in_and_the_old_one_ends(sign_up: Companies, runtime: Runtime) -> None:
    company = sign_up()
    jar = company.browser.cookies["localhost"]
    before = jar["__Host-rapport_person"]
    company.browser.follow = False
    sign_in(company.browser, company.email)
    assert jar["__Host-rapport_person"] != before
    assert sessions.find(runtime.databases, sessions.crypto.sha256(before)) is None


def test_signing_out_of_a_workspace_ends_its_session_and_the_base_hosts(sign_up: Companies) -> None:
    company = sign_up()
    held = {host: dict(jar) for host, jar in company.browser.cookies.items()}
    page = company.browser.post(f"{company.url}/sign-out", {})
    assert (page.host, page.path) == ("localhost", "/signed-out")
    assert "__Host-rapport" not in company.browser.cookies[f"{company.slug}.localhost"]
    thief = Browser(company.browser.flask_app)
    thief.cookies.update(held)
    assert thief.get(f"{company.url}/api/v1/me").status == 401
    assert thief.get(f"{BASE}/workspaces").path == "/sign-in"


def test_a_link_alone_signs_nobody_out(sign_up: Companies) -> None:
    company = sign_up()
    company.browser.get(f"{BASE}/signed-out?proof=made-up")
    assert company.browser.get(f"{BASE}/workspaces").status == 200


def test_sessions_are_listed_and_each_can_be_ended(sign_up: Companies, flask_app: Any) -> None:
    company = sign_up()
    second = Browser(flask_app, user_agent="Mozilla/5.0 (iPhone) Safari/605")
    sign_in(second, company.email)
    listed = company.browser.get(f"{BASE}/account/sessions").text
    assert "Firefox on Linux" in listed
    assert "Safari on iPhone" in listed
    company.browser.post(f"{BASE}/account/sessions/revoke-others", {})
    assert second.get(f"{BASE}/workspaces").path == "/sign-in"
    assert second.get(f"{company.url}/api/v1/me").status == 401
    assert company.browser.get(f"{BASE}/workspaces").status == 200
    assert company.browser.get(f"{company.url}/api/v1/me").status == 200


def test_ending_one_browsers_session_ends_it_in_every_workspace(sign_up: Companies, flask_app: Any) -> None:
    one = sign_up()
    another = sign_up(browser=one.browser)
    second = Browser(flask_app, user_agent="Mozilla/5.0 (iPhone) Safari/605")
    sign_in(second, one.email)
    for company in (one, another):
        assert second.get(f"{company.url}/").host == f"{company.slug}.localhost"
        assert second.get(f"{company.url}/api/v1/me").status == 200
    listed = one.browser.get(f"{BASE}/account/sessions").text
    session = listed.split("/account/sessions/")[1].split("/revoke")[0]
    one.browser.post(f"{BASE}/account/sessions/{session}/revoke", {})
    for company in (one, another):
        assert second.get(f"{company.url}/api/v1/me").status == 401
        assert one.browser.get(f"{company.url}/api/v1/me").status == 200


def test_signing_out_leaves_nothing_open_in_another_workspace(sign_up: Companies) -> None:
    one = sign_up()
    another = sign_up(browser=one.browser)
    assert one.browser.get(f"{one.url}/api/v1/me").status == 200
    one.browser.post(f"{another.url}/sign-out", {})
    assert one.browser.get(f"{one.url}/api/v1/me").status == 401


def test_another_persons_session_is_not_found(sign_up: Companies, runtime: Runtime) -> None:
    one, other = sign_up(), sign_up()
    with runtime.databases.control.connect() as connection:
        session = connection.execute(
            sa.text(
                "select s.id from person_session s join person_email e on e.person = s.person where e.email = :email"
            ),
            {"email": other.email},
        ).scalar_one()
    assert one.browser.post(f"{BASE}/account/sessions/{session}/revoke", {}).status == 404
    assert other.browser.get(f"{BASE}/workspaces").status == 200


def test_workspace_sessions_are_listed_and_ended(sign_up: Companies, flask_app: Any) -> None:
    company = sign_up()
    second = Browser(flask_app, user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/150")
    sign_in(second, company.email)
    page = company.browser.get(f"{company.url}/settings/sessions")
    assert "Chrome on Windows" in page.text
    session = page.text.split("/settings/sessions/")[-1].split("/revoke")[0]
    company.browser.post(f"{company.url}/settings/sessions/{session}/revoke", {})
    assert second.get(f"{company.url}/api/v1/me").status == 401
    assert second.get(f"{company.url}/").path == "/sign-in", "or it would be back with the next click"
    assert company.browser.get(f"{company.url}/api/v1/me").status == 200


def test_a_session_ends_when_idle_and_in_any_case_after_its_longest_time(sign_up: Companies, runtime: Runtime) -> None:
    company = sign_up()
    token = company.browser.cookies["localhost"]["__Host-rapport_person"]
    hashed = sessions.crypto.sha256(token)
    now = clock.now()
    with time_machine.travel(now + sessions.IDLE + timedelta(minutes=1), tick=False):
        assert sessions.find(runtime.databases, hashed) is None
    day = timedelta(days=1)
    used = now
    while used < now + sessions.ABSOLUTE - day:
        used += sessions.IDLE - day
        with time_machine.travel(min(used, now + sessions.ABSOLUTE - day), tick=False):
            assert sessions.find(runtime.databases, hashed) is not None
    with time_machine.travel(now + sessions.ABSOLUTE + timedelta(minutes=1), tick=False):
        assert sessions.find(runtime.databases, hashed) is None


def test_tokens_are_stored_as_hashes_only(sign_up: Companies, runtime: Runtime) -> None:
    company = sign_up()
    token = company.browser.cookies["localhost"]["__Host-rapport_person"]
    with runtime.databases.control.connect() as connection:
        dump = " ".join(str(row) for row in connection.execute(sa.text("select s::text from person_session s")))
        hashes = connection.execute(
            sa.text("select password_hash from person where password_hash is not null")
        ).scalars()
        assert all(value.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for value in hashes)
    assert token not in dump


def test_a_forgotten_password_is_reset_by_mail_once(sign_up: Companies, flask_app: Any, mails: Mails) -> None:
    company = sign_up()
    browser = Browser(flask_app)
    asked = browser.post(f"{BASE}/password/forgot", {"email": company.email})
    link = next(mail for mail in mails(company.email) if mail.subject == "Set a new password").link
    assert browser.get(link).status == 200
    assert browser.get(link).status == 200
    weak = browser.post(link, {"password": "password1"})
    assert weak.status == 422
    done = browser.post(link, {"password": "eleven green badgers"})
    assert "new password is set" in done.text
    assert browser.get(link).status == 404
    assert browser.post(link, {"password": "twelve green badgers"}).status == 404
    assert company.browser.get(f"{BASE}/workspaces").path == "/sign-in"
    assert company.browser.get(f"{company.url}/api/v1/me").status == 401
    assert sign_in(Browser(flask_app), company.email).status == 422
    assert sign_in(Browser(flask_app), company.email, "eleven green badgers").path == "/"
    unknown = browser.post(f"{BASE}/password/forgot", {"email": "nobody@example.com"})
    assert _masked(unknown.text) == _masked(asked.text)
    assert mails("nobody@example.com") == []


def test_a_reset_link_is_void_after_an_hour_and_after_a_newer_one(
    sign_up: Companies, browser: Browser, mails: Mails
) -> None:
    company = sign_up()
    for _ in range(2):
        browser.post(f"{BASE}/password/forgot", {"email": company.email})
    first, second = [mail.link for mail in mails(company.email) if mail.subject == "Set a new password"]
    assert browser.get(first).status == 404
    with time_machine.travel(clock.now() + people.RESET_LIFE + timedelta(seconds=5), tick=False):
        assert browser.get(second).status == 404


def test_a_reset_takes_no_unverified_claim_over_a_verified_one(
    sign_up: Companies, browser: Browser, mails: Mails
) -> None:
    company = sign_up()
    verify = next(mail for mail in mails(company.email) if "Confirm" in mail.subject).link
    assert "confirmed" in browser.post(verify, {}).text
    squatter = sign_up(email=company.email, password="a squatter's password")
    browser.post(f"{BASE}/password/forgot", {"email": company.email})
    link = [mail for mail in mails(company.email) if mail.subject == "Set a new password"][-1].link
    browser.post(link, {"password": "eleven green badgers"})
    page = sign_in(browser, company.email, "eleven green badgers")
    assert page.host == f"{company.slug}.localhost"
    assert squatter.browser.get(f"{company.url}/api/v1/me").status == 401
    claim = [mail for mail in mails(company.email) if "Confirm" in mail.subject][-1].link
    assert browser.post(claim, {}).status == 404


def test_the_password_is_changed_with_the_present_one_and_ends_other_sessions(
    sign_up: Companies, flask_app: Any
) -> None:
    company = sign_up()
    other = Browser(flask_app)
    sign_in(other, company.email)
    url = f"{BASE}/account/password"
    assert company.browser.post(url, {"current": "wrong", "password": "eleven green badgers"}).status == 422
    assert company.browser.post(url, {"current": PASSWORD, "password": "short"}).status == 422
    assert "changed" in company.browser.post(url, {"current": PASSWORD, "password": "eleven green badgers"}).text
    assert other.get(f"{BASE}/workspaces").path == "/sign-in"
    assert other.get(f"{company.url}/api/v1/me").status == 401
    assert company.browser.get(f"{BASE}/workspaces").status == 200


def _masked(text: str) -> str:
    """A page without what differs between any two answers."""
    return re.sub(r'(nonce|csrf_token|content|value)="[^"]*"', "", re.sub(r'name="csrf[^>]*>', "", text))
