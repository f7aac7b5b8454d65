"""Addresses, numbers and domains of public test suites."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import idna
import phonenumbers
import pytest

from app.metadata.fieldtypes.base import ValueProblem
from app.metadata.fieldtypes.countries import country_code
from app.metadata.fieldtypes.phone import e164
from tests.support.field_kit import CONTEXT, field_of

SHARED = Path(__file__).parents[5] / "shared"
DATA = SHARED / "data" / "validation"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared test data is not on this machine")


def accepted(name: str, raw: object) -> object | None:
    one = field_of(name)
    try:
        return one.type.to_json(one.type.coerce(one, raw, CONTEXT))
    except ValueProblem:
        return None


def test_addresses_of_the_isemail_suite_are_told_apart() -> None:
    lines = (SHARED / "data/expected/email_addresses.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    must = [case["address"] for case in cases if case["crm"].startswith("accept")]
    never = [case["address"] for case in cases if case["crm"].startswith("reject")]
    assert (len(must), len(never)) == (22, 66)
    assert [address for address in must if accepted("email", address) is None] == []
    assert [address for address in never if accepted("email", address) is not None] == []


def test_national_and_international_forms_are_the_same_number() -> None:
    with (DATA / "phone/phone_examples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    agreeing = 0
    for row in rows:
        number = phonenumbers.parse(row["expected_e164"])
        if not phonenumbers.is_valid_number(number):
            continue
        assert e164(row["expected_e164"], "DE") == row["expected_e164"]
        if row["region"] != "001":
            national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
            assert e164(national, row["region"]) == row["expected_e164"], row
        agreeing += 1
    assert agreeing == 579


def test_registrable_domains_follow_the_public_suffix_list() -> None:
    with (DATA / "domain/psl_cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        expected = idna.encode(row["registrable_domain"]).decode() if row["registrable_domain"] else None
        assert accepted("domain", row["input"]) == expected, row
    assert len(rows) == 38


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("United States", "US"),
        ("USA", "US"),
        ("UK", "GB"),
        ("Korea", "KR"),
        ("Philipines", "PH"),
        ("Deutschland", "DE"),
        ("México", "MX"),
        ("Côte d\u2019Ivoire", "CI"),
        ("CIV", "CI"),
        ("de", "DE"),
        ("Türkiye", "TR"),
        ("Czech Republic", "CZ"),
        ("日本", "JP"),
    ],
)
def test_countries_are_known_by_the_names_people_write(name: str, code: str) -> None:
    assert country_code(name) == code


@pytest.mark.parametrize("name", ["Atlantis", "XX", "EU", "Europe", "ZZZ", "World"])
def test_what_is_no_country_is_refused(name: str) -> None:
    with pytest.raises(ValueProblem):
        country_code(name)


def test_a_decimal_comma_is_read_only_where_the_file_says_so() -> None:
    one, comma = field_of("decimal"), replace(CONTEXT, decimal_comma=True)
    assert str(one.type.parse(one, "1.234,5", comma)) == "1234.5"
    assert str(one.type.parse(one, "1,5", comma)) == "1.5"
    with pytest.raises(ValueProblem):
        one.type.parse(one, "1,5", CONTEXT)


def test_a_shared_currency_symbol_means_the_tenants_own() -> None:
    one = field_of("money")
    canadian = replace(CONTEXT, currency="CAD")
    assert one.type.to_json(one.type.parse(one, "$5", canadian)) == {"amount": "5.00", "currency": "CAD"}
    assert one.type.to_json(one.type.parse(one, "€5", canadian)) == {"amount": "5.00", "currency": "EUR"}


@pytest.mark.parametrize(
    ("pattern", "text", "day"),
    [
        ("DD/MM/YYYY", "01/02/2017", "2017-02-01"),
        ("%m/%d/%Y", "01/02/2017", "2017-01-02"),
        ("d.M.yy", "1.2.17", "2017-02-01"),
        ("MM/DD/YYYY", "1/2/2017 00:00", "2017-01-02"),
        ("DD/MM/YYYY", "2017-02-01", "2017-02-01"),
    ],
)
def test_a_named_date_format_settles_what_is_ambiguous(pattern: str, text: str, day: str) -> None:
    one = field_of("date")
    assert one.type.to_json(one.type.parse(one, text, replace(CONTEXT, date_format=pattern))) == day


def test_a_date_that_does_not_fit_the_named_format_is_not_read_the_other_way_round() -> None:
    one = field_of("date")
    with pytest.raises(ValueProblem):
        one.type.parse(one, "12/31/2017", replace(CONTEXT, date_format="DD/MM/YYYY"))
