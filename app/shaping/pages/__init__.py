"""Settings → Objects and History: what a workspace is made of, changed through the same verbs as over REST."""

from __future__ import annotations

from flask import Blueprint

from app.shaping.pages import (
    applying,
    calendars,
    conditions,
    currencies,
    fields,
    formulas,
    history,
    layouts,
    links,
    objects,
    option_sets,
    pipelines,
    rules,
    several,
    translations,
    updates,
    views,
)

blueprint = Blueprint("shaping_pages", __name__)
for part in (
    objects,
    fields,
    several,
    formulas,
    conditions,
    rules,
    links,
    pipelines,
    layouts,
    views,
    option_sets,
    currencies,
    calendars,
    translations,
    applying,
    updates,
    history,
):
    blueprint.register_blueprint(part.blueprint)
