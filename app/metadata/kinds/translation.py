"""Translation: labels and help of the workspace's components in another language."""

from __future__ import annotations

from app.metadata.kinds import schema as form
from app.metadata.kinds.base import Kind

_LABEL = {"label": form.text("The label in this language.")}
_BOTH = _LABEL | {"help": form.text("The help in this language.", form.HELP_LIMIT)}
_OPTIONS = form.mapping("By option.", form.text("The option's label in this language."))
_FIELD = form.record("A field.", _BOTH | {"options": _OPTIONS})
_STAGE = form.record("A stage.", _LABEL)
_PIPELINE = form.record("A pipeline.", _LABEL | {"stages": form.mapping("By stage.", _STAGE)})
_OBJECT = form.record(
    "An object.",
    {
        "label": form.record(
            "What people call it.", {"one": form.text("One of them."), "other": form.text("Several of them.")}
        ),
        "help": _BOTH["help"],
        "fields": form.mapping("By field.", _FIELD, keys_refer="field"),
        "pipelines": form.mapping("By pipeline.", _PIPELINE),
    },
)

KIND = Kind(
    name="translation",
    help="Labels and help in another language; what is left out stays as it is.",
    naming="^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$",
    named="a language tag like de or pt-BR",
    schema=form.record(
        "A translation.",
        {
            "objects": form.mapping("By object.", _OBJECT, keys_refer="object"),
            "views": form.mapping("By view.", form.text("The view's label."), keys=r"^[a-z0-9_.]+$"),
            "option_sets": form.mapping("By option set and option.", _OPTIONS),
        }
        | form.standing(),
    ),
    example="""
kind: translation
name: de
objects:
  deal:
    label: {one: Geschäft, other: Geschäfte}
    fields:
      amount: {label: Betrag}
      deal_type: {label: Art, options: {renewal: Verlängerung}}
    pipelines:
      sales: {label: Vertrieb, stages: {won: {label: Gewonnen}}}
""",
)
