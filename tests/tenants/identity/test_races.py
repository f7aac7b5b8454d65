"""Two requests at the same time: one ticket, one idempotency key, one address, one invitation."""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.support.web import BASE, Browser

if TYPE_CHECKING:
    from collections.abc import Callable


def at_once(number: int, act: Callable[[int], int]) -> Counter[int]:
    """The statuses of ``number`` calls made together."""
    with ThreadPoolExecutor(number) as pool:
        return Counter(pool.map(act, range(number)))


def test_of_many_takers_one_gets_the_ticket(sign_up: Callable[..., Any]) -> None:
    company = sign_up()
    browser = company.browser
    host = f"{company.slug}.localhost"
    browser.follow = False
    browser.cookies[host].clear()
    door = browser.get(f"{company.url}/session/start")
    page = browser.get(door.response.headers["Location"])
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found is not None
    binding = dict(browser.cookies[host])

    def take(_number: int) -> int:
        taker = Browser(browser.flask_app, follow=False)
        taker.cookies[host].update(binding)
        data = {"ticket": found.group(1), "next": "/"}
        return taker.request("POST", f"{company.url}/session", data=data, headers={"Origin": BASE}).status

    assert at_once(6, take) == {303: 1, 403: 5}


def test_one_idempotency_key_acts_once(sign_up: Callable[..., Any]) -> None:
    company = sign_up()
    token = company.browser.token(company.url)
    jar = company.browser.cookies[f"{company.slug}.localhost"]
    headers = {
        "X-CSRF-Token": token,
        "Content-Type": "application/json",
        "Idempotency-Key": "together",
        "Cookie": "; ".join(f"{name}={value}" for name, value in jar.items()),
    }
    body = json.dumps({"email": f"together-{company.slug}@example.com"})

    def post(_number: int) -> int:
        client = company.browser.flask_app.test_client(use_cookies=False)
        path = "/api/v1/members/invitations"
        return client.post(path, base_url=company.url, headers=headers, data=body).status_code

    statuses = at_once(6, post)
    assert set(statuses) <= {201, 409}
    assert statuses[201] >= 1
    members = company.browser.get(f"{company.url}/api/v1/members").response.json["data"]
    assert len(members) == 2


def test_one_address_is_given_to_one_company(flask_app: Any) -> None:
    slug = f"race-{uuid.uuid4().hex[:8]}"

    def act(number: int) -> int:
        browser = Browser(flask_app, follow=False)
        form = {
            "company": "Race",
            "slug": slug,
            "email": f"{slug}-{number}@example.com",
            "password": "seven purple walruses",
        }
        return browser.post(f"{BASE}/sign-up", form).status

    assert at_once(4, act) == {303: 1, 422: 3}


def test_one_invitation_makes_one_member(sign_up: Callable[..., Any], flask_app: Any) -> None:
    company = sign_up()
    page = company.browser.post(
        f"{company.url}/settings/members/invite", {"email": "one@example.com", "role": "member"}
    )
    link = page.text.split('id="invitation-link"')[1].split('value="')[1].split('"')[0]

    def accept(number: int) -> int:
        browser = Browser(flask_app, follow=False)
        return browser.post(link, {"name": f"Taker {number}", "password": f"seven purple walruses {number}"}).status

    assert at_once(4, accept) == {303: 1, 404: 3}
    members = company.browser.get(f"{company.url}/api/v1/members").response.json["data"]
    assert len(members) == 2
