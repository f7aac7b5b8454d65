"""The kit by itself: every macro renders, htmx attributes carry the nonce, text stays text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from flask import Flask, render_template, render_template_string

from app.ui import install, shell
from app.ui.install import code_spans

if TYPE_CHECKING:
    from app.core.ports import Runtime


@pytest.fixture(scope="module")
def flask_app() -> Flask:
    made = Flask("kit")
    made.jinja_env.globals.update(csp_nonce=lambda: "the-nonce", csrf_token=lambda: "the-token")
    install(
        made,
        cast("Runtime", SimpleNamespace(config=SimpleNamespace(base_url="http://localhost:8000", file_limit=1 << 20))),
    )
    rights = frozenset({"record.create", "record.import", "record.delete", "members.manage", "keys.manage"})
    item = shell.NavItem("company", "Companies", "building-2", "/records/company")
    shell.provide(made, lambda: shell.Shell(workspace="<Acme>", member="Mira", rights=rights, objects=(item,)))
    return made


@pytest.mark.parametrize("template", ["dev/kit.html", "dev/auth.html"])
def test_every_macro_renders(flask_app: Flask, template: str) -> None:
    with flask_app.test_request_context():
        page = render_template(template)
    assert "<!doctype html>" in page
    assert "&lt;Acme&gt;" in page
    assert "<Acme>" not in page


def test_every_htmx_attribute_of_the_kit_carries_the_nonce(flask_app: Flask) -> None:
    with flask_app.test_request_context():
        text = render_template_string("<a{{ hx(get='/x', target='#y', push_url='true')|xmlattr }}>x</a>")
    assert text == '<a hx-get="/x" hx-target="#y" hx-push-url="true" hx-nonce="the-nonce">x</a>'


def test_a_field_with_an_error_names_it_for_assistive_technology(flask_app: Flask) -> None:
    with flask_app.test_request_context():
        text = render_template_string(
            "{% from 'kit/field.html' import input %}"
            "{{ input('email', 'E-mail', value='\"><b>', error='No address.') }}"
        )
    assert 'aria-invalid="true"' in text
    assert "f-email-error" in text
    assert "<b>" not in text


def test_a_page_outside_a_workspace_has_a_frame_too() -> None:
    made = Flask("bare")
    assert shell.build(made).workspace == "Rapport"
    assert not shell.build(made).may("record.create")


def test_backticks_become_code_and_nothing_else_becomes_markup() -> None:
    assert code_spans("no field `<b>`, mean `amount`?") == "no field <code>&lt;b&gt;</code>, mean <code>amount</code>?"
