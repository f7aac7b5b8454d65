"""Conditions on pages: rows made of a text, a text made of rows, what is wrong with it, what a record meets of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from flask import current_app, render_template, request

from app.core.errors import FieldError, InvalidInput, NotFound
from app.expressions import ConditionError, check
from app.expressions.rows import NOTHING, Group, Part, Row, from_json, tidy, to_json
from app.expressions.rows_reading import read
from app.expressions.rows_writing import problems, row_text, write
from app.http.respond import json_response
from app.metadata.environment import RecordEnvironment
from app.records.errors import RecordNotFound
from app.records.pages.condition_choices import Choices
from app.records.pages.condition_rows import Shown, completed
from app.records.read import find_object
from app.records.titles import titles
from app.records.trying import tried_conditions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug.wrappers import Response

    from app.expressions import Environment
    from app.expressions.rows import Item
    from app.metadata.model import Catalog, ObjectType
    from tenants.scope import TenantScope

#: Characters of a condition that is typed.
LONGEST: Final = 20_000
_BEFORE, _AFTER = 24, 16
_MARKS: Final[Mapping[bool | None, str]] = {True: "met", False: "unmet", None: "unknown"}


class Desk:
    """The conditions on one object's records: what they may ask for is what ``catalog`` has.

    ``me`` is what the acting member is called in them.
    """

    def __init__(self, scope: TenantScope, catalog: Catalog, obj: ObjectType, me: str = "whoever acts") -> None:
        self.scope, self.object = scope, obj
        self.catalog = catalog
        self.environment: Environment = RecordEnvironment(catalog, obj, scope.tenant)
        self.choices = Choices(catalog, obj, scope.tenant.currency, me)

    def state(self, model: Group, tried: str) -> dict[str, Any]:
        """What there is to say of rows: their text, what is wrong where, what the chosen record meets."""
        wrong = {path: error.detail for path, error in problems(model, self.environment)}
        found: dict[str, Any] = {"problems": wrong, "text": None, "marks": {}}
        if not wrong:
            try:
                found["text"] = write(model, self.environment)
                if found["text"]:
                    check(found["text"], self.environment)
            except ConditionError as error:
                found["problem"] = _told(error, found["text"] or "")
        if tried:
            found["marks"] = self._marks(model, wrong, tried)
        return found

    def faults(self, model: Group) -> list[str]:
        """What is wrong with rows, in words, each once."""
        return list(dict.fromkeys(error.detail for _, error in problems(model, self.environment)))

    def text(self, model: Group) -> str:
        """Rows without faults as the condition they say."""
        return write(model, self.environment)

    def shown(self, model: Group) -> Shown:
        """The model as pages show it, with the records it names."""
        return Shown(self.choices, self._titles(model))

    def words(self, source: str) -> str:
        """A condition in words; its text where it can't be read."""
        try:
            model = read(source, self.environment)
        except ConditionError:
            return f"`{source}`"
        return self.shown(model).words(model)

    def _titles(self, model: Group) -> dict[str, str]:
        """Names of the records that rows compare links with, by id."""
        wanted: dict[str, set[str]] = {}
        for _, row in _leaves(model):
            if isinstance(row, Row) and row.value.form == "value" and row.value.text:
                choice = self.choices.of(row.field)
                if choice is not None and choice.target and _is_id(row.value.text):
                    wanted.setdefault(choice.target, set()).add(row.value.text)
        return {key: title for (_, key), title in titles(self.scope, wanted).items()} if wanted else {}

    def _marks(self, model: Group, wrong: Mapping[str, str], tried: str) -> dict[str, str]:
        """What a record makes of each row and group: met, unmet or unknown; of the whole under ""."""
        texts = {path: row_text(one, self.environment) for path, one in _leaves(model) if path not in wrong}
        try:
            answers = tried_conditions(self.scope, self.object.name, list(texts.values()), tried) if texts else []
        except (RecordNotFound, InvalidInput) as error:
            raise NotFound("There is no such record.") from error
        known = dict(zip(texts, answers, strict=True))
        found: dict[str, str] = {}
        _weigh(model, "", known, found)
        return found


def rows_answer(desk: Desk, *, trying: bool = False) -> Response:
    """Of the form's ``rows`` (a model) or ``text``: the builder's rows, or with ``part=state`` what to say of them.

    ``trying``: whether a record can be chosen (``try``) to see what it meets.
    """
    source = request.form.get("text", "")[:LONGEST]
    model = model_sent(request.form.get("rows", ""))
    tried = request.form.get("try", "") if trying else ""
    if model is None:
        try:
            model = read(source, desk.environment)
        except ConditionError as error:
            told = {"problem": _told(error, source)}
            if request.form.get("part") == "state":
                return json_response(told)
            return current_app.make_response(render_template("records/_condition_rows.html", told=told))
    if request.form.get("part") == "state":
        return json_response(desk.state(model, tried))
    model = completed(desk.choices, model)
    html = render_template(
        "records/_condition_rows.html", root=desk.shown(model).group(model), fields=desk.choices.groups(),
        state=desk.state(model, tried), model=to_json(model), key=request.form.get("key", "")[:40],
        object=desk.object.name, tried=tried, tried_title=_title(desk, tried),
        empty=request.form.get("empty", "")[:200], label=request.form.get("label", "")[:200],
        trying=trying and request.form.get("trying") == "true",
    )  # fmt: skip
    return current_app.make_response(html)


def condition_sent(scope: TenantScope, object_name: str, name: str, pointer: str) -> str:
    """The condition of the form's box ``name`` as its sender may write it: of its rows once somebody changed them.

    Raises InvalidInput at ``pointer``.
    """
    model = model_sent(request.form.get(f"{name}.rows", ""))
    if model is None:
        return request.form.get(name, "").replace("\0", "").strip()[:LONGEST]
    desk = Desk(scope, *find_object(scope, object_name))
    wrong = desk.faults(model)
    if wrong:
        message = " ".join(wrong)
        raise InvalidInput(message, [FieldError(pointer, "condition", message)])
    return desk.text(model)


def model_sent(sent: str) -> Group | None:
    """A model as a page sends it; None where it sent none. Raises InvalidInput."""
    if not sent:
        return None
    try:
        return from_json(msgspec.json.decode(sent))
    except (ValueError, RecursionError) as error:
        message = "Open the page again: what it sent can not be read."
        raise InvalidInput(message, [FieldError("/rows", "json", message)]) from error


def _leaves(item: Item, path: str = "") -> Iterator[tuple[str, Row | Part]]:
    if isinstance(item, Group):
        for at, one in enumerate(item.items):
            yield from _leaves(one, f"{path}.{at}" if path else str(at))
    elif (item.text if isinstance(item, Part) else item.field).strip():
        yield path, item


def _weigh(item: Item, path: str, known: Mapping[str, bool | None], found: dict[str, str]) -> bool | None:
    """What an item comes to, as the condition language weighs unknown ones."""
    if not isinstance(item, Group):
        answer = known.get(path)
        if path in known:
            found[path] = _MARKS[answer]
        return answer
    inside = [(one, f"{path}.{at}" if path else str(at)) for at, one in enumerate(item.items)]
    answers = [_weigh(one, place, known, found) for one, place in inside if tidy(one) != NOTHING]
    decisive = item.join != "all"
    answer: bool | None = not decisive
    if decisive in answers:
        answer = decisive
    elif None in answers:
        answer = None
    if item.join == "none" and answer is not None:
        answer = not answer
    if not answers:
        answer = True
    found[path] = _MARKS[answer]
    return answer


def _told(error: ConditionError, source: str) -> dict[str, Any]:
    position = error.extra.get("position")
    at = position if isinstance(position, int) else 0
    return {"message": error.detail, "position": at, "before": source[max(0, at - _BEFORE) : at],
            "here": source[at : at + _AFTER]}  # fmt: skip


def _title(desk: Desk, tried: str) -> str:
    if not _is_id(tried):
        return ""
    return next(iter(titles(desk.scope, {desk.object.name: [tried]}).values()), "")


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
