"""What to send to each route so that it does its work; a route that needs nothing but its address is not listed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.contract.crowds import Crowd

#: How an import or export must stand for a route to work on it.
DRAFT, QUEUED, DONE = "draft", "queued", "done"


@dataclass(frozen=True, slots=True)
class Request:
    """Query, body and target of a call; texts may name values of the crowd in braces."""

    query: str = ""
    json: Any = None
    form: dict[str, str] = field(default_factory=dict)
    object_name: str = ""
    values: dict[str, str] = field(default_factory=dict)
    importing: str = ""
    exporting: str = ""
    #: How many statements more there may be with many rows than with few, or at another time.
    slack: int = 0
    #: A file of as many rows as the crowd is large.
    file: bool = False
    #: A body that is no JSON.
    text: str = ""
    #: The sample data is there.
    samples: bool = False


REQUESTS: dict[str, Request] = {
    "GET /api/v1/records/<object_name>": Request("?fields=name,owner.name,parent.name&total=exact&limit=50"),
    "POST /api/v1/records/<object_name>": Request(json={"name": "New {mark}", "owner": "{owner}"}),
    "PATCH /api/v1/records/<object_name>/<record_id>": Request(json={"name": "Changed"}),
    "POST /api/v1/records/<object_name>/<record_id>/restore": Request(values={"company": "{a_trashed}"}),
    "PUT /api/v1/records/<object_name>/by/<unique_field>/<path:value>": Request(json={"name": "By value"}),
    "POST /api/v1/records/<object_name>/bulk": Request(json="rows"),
    "GET /api/v1/records/<object_name>/aggregate": Request(
        "?group_by=stage,created_at:month&metrics=count,sum:amount,weighted:amount", object_name="deal"
    ),
    "GET /api/v1/records/<object_name>/board": Request(
        "?fields=name,company.name,owner.name&metrics=count,sum:amount", object_name="deal"
    ),
    "GET /api/v1/search": Request("?q=acme"),
    "POST /api/v1/batch": Request(json="operations"),
    # Many links are written by COPY: one statement for them and one for their events.
    "POST /api/v1/records/lead/<record_id>/convert": Request(json={"deal_name": "Converted"}, slack=1),
    "POST /api/v1/imports": Request(file=True),
    "GET /api/v1/imports/<import_id>": Request(importing=DONE),
    "GET /api/v1/imports/<import_id>/errors.csv": Request(importing=DONE),
    "GET /imports/<import_id>/progress": Request(importing=QUEUED),
    "GET /imports/<import_id>/errors.csv": Request(importing=DONE),
    "POST /api/v1/imports/<import_id>/undo": Request(importing=DONE),
    "POST /api/v1/imports/<import_id>/cancel": Request(importing=QUEUED),
    "POST /api/v1/exports": Request(json={"object": "company", "fields": ["name", "owner", "parent.name"]}),
    "POST /api/v1/exports/<export_id>/cancel": Request(exporting=QUEUED),
    "POST /api/v1/files": Request(file=True),
    "POST /records/<object_name>/export": Request(form={"format": "csv", "fields": "name", "sort": "name"}),
    "POST /records/<object_name>/export/chosen": Request(form={"ids": "{company}"}),
    "POST /exports/<export_id>/cancel": Request(exporting=QUEUED),
    "POST /api/v1/members/invitations": Request(json={"email": "new-{mark}@example.com"}),
    "PATCH /api/v1/members/<uuid:member>": Request(json={"role": "admin"}),
    "POST /api/v1/members/<uuid:member>/deactivate": Request(json={"hand_over_to": "{owner}"}),
    "GET /api/v1/members/<uuid:member>/hand-over": Request(values={"member": "{handed}"}),
    "POST /api/v1/members/<uuid:member>/hand-over": Request(json={"to": "{owner}"}),
    "GET /people": Request("?kinds=team,role,member&q=a"),
    "POST /records/<object_name>/owner": Request(form={"ids": "{ids}", "owner": "{owner}"}),
    "POST /settings/members/<uuid:member>/hand-over": Request(form={"hand_over_to": "member:{owner}"}),
    "POST /api/v1/members/<uuid:member>/reactivate": Request(values={"member": "{inactive}"}),
    "POST /api/v1/keys": Request(json={"name": "Key {mark}"}),
    "POST /samples/remove": Request(samples=True),
    "POST /settings/profile": Request(form={"name": "Olivia Owner"}),
    "POST /preferences": Request(form={"theme": "dark"}),
    "POST /settings/members/invite": Request(form={"email": "page-{mark}@example.com", "role": "member"}),
    "POST /settings/members/<uuid:member>/role": Request(form={"role": "admin"}),
    "POST /settings/members/<uuid:member>/reactivate": Request(values={"member": "{inactive}"}),
    "POST /settings/keys": Request(form={"name": "Key {mark}", "role": "member", "expires": ""}),
    "POST /records/<object_name>/trash": Request(form={"ids": "{ids}"}),
    "POST /records/<object_name>/restore": Request(form={"ids": "{trashed}"}),
    "GET /records/<object_name>/board": Request(object_name="deal"),
    "POST /records/<object_name>/new": Request(form={"name": "From a form"}),
    "POST /records/<object_name>/live": Request(form={"name": "From a form"}),
    "POST /records/<object_name>/<uuid:record_id>/live": Request(form={"name": "Else"}),
    "POST /records/<object_name>/columns": Request(form={"columns": "name"}),
    "GET /records/<object_name>/views/new": Request("?filter=has(owner)&q=acme&shape=list"),
    "POST /records/<object_name>/views/new": Request(
        "?filter=has(owner)&q=acme&shape=list", form={"label": "New {mark}"}
    ),
    "POST /records/<object_name>/views/<own_view_name>": Request(form={"label": "Other", "filter": "has(owner)"}),
    "POST /records/<object_name>/views/<own_view_name>/shown": Request("?q=acme&sort=name&shape=list"),
    "POST /records/<object_name>/views/<own_view_name>/restore": Request(values={"own_view_name": "{deleted_view}"}),
    "GET /records/<object_name>/options": Request("?field=parent&q=acme"),
    "POST /records/<object_name>/rows": Request(form={"text": 'name == "x" && owner == "{owner}"'}),
    "GET /records/<object_name>/<uuid:record_id>/fields/<field_name>/move": Request(
        "?to=lost", object_name="deal", values={"field_name": "stage"}
    ),
    "POST /records/<object_name>/<uuid:record_id>/fields/<field_name>/move": Request(
        form={"stage": "won", "version": "1"}, object_name="deal", values={"field_name": "stage"}
    ),
    "GET /records/<object_name>/<uuid:record_id>/fields/<field_name>/moved": Request(
        "?back=new", object_name="deal", values={"field_name": "stage"}
    ),
    "POST /records/<object_name>/<uuid:record_id>/activities": Request(form={"kind": "note", "text": "Spoke"}),
    "POST /records/<object_name>/<uuid:record_id>/done": Request(form={"done": "true"}, object_name="task"),
    "POST /records/<object_name>/<uuid:record_id>/fields/<field_name>": Request(form={"name": "Else", "version": "1"}),
    "GET /search": Request("?q=acme"),
    # How many there are is asked of lists that go on beyond what is shown of them.
    "GET /records/<object_name>/<uuid:record_id>": Request(slack=3),
    "GET /records/<object_name>/<uuid:record_id>/related": Request(slack=2),
    "GET /trash": Request(slack=3),
    "POST /trash/<object_name>/<uuid:record_id>/restore": Request(values={"company": "{a_trashed}"}),
    "POST /trash/<object_name>/<uuid:record_id>/destroy": Request(values={"company": "{a_trashed}"}),
    "POST /imports/new": Request(form={"object": "company"}, file=True),
    "GET /imports/<import_id>": Request(importing=DRAFT),
    "POST /imports/<import_id>/preview": Request(importing=DRAFT),
    "POST /imports/<import_id>/start": Request(form={"column-0": "name", "header-0": "name"}, importing=DRAFT),
    "POST /imports/<import_id>/discard": Request(importing=DRAFT),
    "POST /imports/<import_id>/undo": Request(importing=DONE),
    "POST /imports/<import_id>/cancel": Request(importing=QUEUED),
    "POST /sign-up (base host)": Request(
        form={
            "company": "Crowd {mark}",
            "slug": "crowd-{mark}",
            "name": "Ada",
            "email": "signs-{mark}@example.com",
            "password": "a long and rare pass phrase",
        }
    ),
    "POST /sign-out (base host)": Request(slack=1),
    "POST /account/sessions/revoke-others (base host)": Request(slack=1),
    "POST /sign-in (base host)": Request(form={"email": "nobody@example.com", "password": "not theirs"}),
    # Whether somebody has this address is asked in the background, so that the answer's time does not tell.
    "POST /password/forgot (base host)": Request(form={"email": "nobody@example.com"}, slack=1),
    "POST /records/lead/<uuid:record_id>/convert": Request(form={"with_deal": "1", "deal_name": "Converted"}, slack=1),
}


_GRANTEE = {"kind": "team", "id": "{team}"}
_RULE = {"object": "company", "name": "New {mark}", "condition": "owner == me", "grantee": _GRANTEE}
_FIELD = {"components": [{"kind": "field", "name": "note.f_{mark}", "type": "text", "label": "New"}]}
_COMPONENTS = '[{"kind": "field", "name": "note.p_{mark}", "type": "text", "label": "New"}]'
_STAGES = {"label": "Line {mark}", "stage.name": "", "stage.label": "First", "stage.status": "open", "stage.color": ""}
_GATES = {f"stage.{gate}.{one}": "" for gate in ("enter_if", "leave_if") for one in ("when", "message")}
_RULE_FORM = {"name": "New {mark}", "condition": "owner == me", "grantee": "team:{team}", "level": "read"}
REQUESTS |= {
    # Each row is an invitation of its own and asks as one does: counted with one.
    "POST /api/v1/members/invitations/bulk": Request(text="email\nfile-{mark}@example.com"),
    "POST /api/v1/teams": Request(json={"name": "New {mark}", "manager": "{member}"}),
    "PATCH /api/v1/teams/<uuid:team>": Request(json={"name": "Other {mark}", "manager": "{member}"}),
    "DELETE /api/v1/teams/<uuid:team>/members/<uuid:member>": Request(values={"team": "{joined}"}),
    "POST /settings/teams/<uuid:team>/members/<uuid:member>/remove": Request(values={"team": "{joined}"}),
    "POST /api/v1/roles": Request(json={"label": "New {mark}", "copy_of": "member"}),
    "GET /api/v1/roles/<role>": Request("?compare=member"),
    "PUT /api/v1/roles/<role>": Request(json={"objects": {"deal": {"read": "all"}}}),
    "PUT /api/v1/sharing/<object_name>": Request(json={"read": "team", "edit": "team"}, object_name="lead"),
    "POST /api/v1/sharing/rules": Request(json=_RULE),
    "PUT /api/v1/sharing/rules/<uuid:rule>": Request(json=_RULE),
    "POST /api/v1/records/<object_name>/<uuid:record_id>/shares": Request(json={"grantee": _GRANTEE}),
    "POST /api/v1/metadata/plan": Request(json=_FIELD),
    "POST /api/v1/metadata/apply": Request(json=_FIELD),
    "GET /api/v1/metadata/changes": Request("?limit=20"),
    "POST /api/v1/metadata/changes/<uuid:change>/revert": Request(json={}),
    "POST /api/v1/metadata/conflicts": Request(
        json={"choices": [{"component": "object/deal", "path": "label/one", "choice": "keep"}]}
    ),
    "GET /api/v1/metadata/drift": Request("?source=settings"),
    "GET /api/v1/records/<object_name>/<uuid:record_id>/access": Request("?action=edit"),
    "POST /api/v1/support-grants": Request(json={"reason": "The board is wrong", "hours": 4}),
    "POST /settings/support": Request(form={"hours": "4", "role": "read_only", "reason": "The board is wrong"}),
    "POST /settings/members/<uuid:member>/manager": Request(form={"manager": "{owner}"}),
    "POST /settings/members/<uuid:member>/teams": Request(form={"teams": "{team}"}),
    "POST /settings/members/bulk": Request(form={"text": "email\nbulk-{mark}@example.com"}),
    "POST /settings/teams": Request(form={"name": "New {mark}"}),
    "POST /settings/teams/<uuid:team>": Request(form={"name": "Other {mark}"}),
    "POST /settings/teams/<uuid:team>/members": Request(form={"member": "{member}"}),
    "POST /settings/roles": Request(form={"label": "New {mark}", "copy_of": "member"}),
    "POST /settings/roles/<role>": Request(form={"label": "Other", "*.read": "all"}),
    "POST /settings/roles/<role>/objects/<object_name>": Request(form={"field.name": "read"}),
    "POST /settings/sharing/<object_name>": Request(form={"read": "team", "edit": "team"}, object_name="lead"),
    "POST /settings/sharing/<object_name>/rules": Request(form=_RULE_FORM),
    "POST /settings/sharing/rules/<uuid:rule>": Request(form=_RULE_FORM),
    "POST /records/<object_name>/<uuid:record_id>/sharing": Request(form={"grantee": "team:{team}", "level": "read"}),
}


def body_of(request: Request, crowd: Crowd) -> Any:
    """The JSON body: a list or batch of the crowd's size, or what the request says."""
    rows = [{"name": f"Row {number}", "owner": str(crowd.owner.id)} for number in range(crowd.size)]
    if request.json == "rows":
        return rows
    if request.json == "operations":
        return {"operations": [{"op": "create", "object": "company", "record": row} for row in rows]}
    return request.json


#: The boxes of one tab, as the editor of layouts sends them.
_LAYOUT = {
    "n.kind": "tab", "n.name": "", "n.label": "T", "n.when": "has(owner)", "n.when.rows": "", "n.columns": "",
    "n.collapsed": "", "n.wide": "",
}  # fmt: skip
_VIEW = {"shape": "list", "filter": "has(owner)", "column": "owner", "sort.field": "name", "sort.way": "down"}
_REFUSAL = {
    "refusal": "require", "refusal_condition": "has(name)", "message": "Enter the name.",
    "effect.kind": "required", "effect.field": "domain", "active": "true",
}  # fmt: skip
REQUESTS |= {
    "GET /settings/objects/<object_name>/fields/new": Request("?type=rollup"),
    "POST /settings/objects/new": Request(form={"label": "Machine {mark}", "plural": "Machines", "title": "Serial"}),
    "POST /settings/objects/read-fields": Request(form={"written": "Price: Money\nMaker: Link (Company)"}),
    "POST /settings/objects/<object_name>/more-fields": Request(form={"written": "New {mark}: Text"}),
    "POST /settings/objects/<object_name>": Request(
        form={"act": "save", "label": "Firm", "plural": "Firms", "title": "name"}
    ),
    "POST /settings/objects/<object_name>/fields": Request(form={"type": "text", "label": "New {mark}"}),
    "POST /settings/objects/<object_name>/fields/<field_name>": Request(form={"act": "save", "label": "Firm"}),
    "POST /settings/objects/<object_name>/formula": Request(
        form={"value": "name", "returns": "text", "try": "{company}"}
    ),
    "GET /settings/objects/<object_name>/condition": Request("?name=when&when=has(name)"),
    "POST /settings/objects/<object_name>/rows": Request(
        form={"text": 'name == "x" && owner == "{owner}"', "try": "{company}", "trying": "true"}
    ),
    "POST /settings/objects/<object_name>/rules": Request(form={"act": "new", "label": "New {mark}", **_REFUSAL}),
    "POST /settings/objects/<object_name>/rules/<rule_name>": Request(form={"label": "Other", **_REFUSAL}),
    "GET /settings/objects/<object_name>/rules/effect": Request("?effect.kind=default&effect.field=name"),
    "GET /settings/objects/<object_name>/records": Request("?q=acme"),
    "POST /settings/objects/<object_name>/pipelines": Request(
        form={**_STAGES, **_GATES, "stage.probability": "10"}, object_name="deal"
    ),
    "POST /settings/objects/<object_name>/layouts": Request(form={"order": "main"}),
    "POST /settings/objects/<object_name>/layouts/new": Request(form={"label": "New {mark}", **_LAYOUT}),
    "POST /settings/objects/<object_name>/layouts/look": Request(form={"label": "X", "try": "{company}", **_LAYOUT}),
    "POST /settings/objects/<object_name>/layouts/<layout_name>": Request(form={"label": "Other", **_LAYOUT}),
    "GET /settings/objects/<object_name>/views/new": Request("?from=named&filter=has(owner)&sort=-created_at"),
    "POST /settings/objects/<object_name>/views": Request(form={"order": "named"}),
    "POST /settings/objects/<object_name>/views/new": Request(form={"label": "New {mark}", **_VIEW}),
    "POST /settings/objects/<object_name>/views/<view_name>": Request(form={"label": "Other", **_VIEW}),
    "POST /settings/objects/<object_name>/links": Request(
        form={"shape": "one", "label": "Site {mark}", "to": "company"}, object_name="deal"
    ),
    "POST /settings/option-sets/new": Request(form={"label": "Set {mark}", "option.name": "", "option.label": "First"}),
    "POST /settings/option-sets/<set_name>": Request(
        form={"label": "Sizes", "option.name": "small", "option.label": "Smaller", "option.color": ""}
    ),
    "POST /settings/currencies": Request(form={"currency": "CHF", "day": "2026-01-01", "rate": "1.05"}),
    "POST /settings/currencies/<currency>": Request(form={"act": "rate", "day": "2026-03-01", "rate": "0.95"}),
    "POST /settings/calendars": Request(form={"label": "Shift {mark}"}),
    "POST /settings/calendars/<calendar>": Request(form={"label": "Office {mark}"}),
    "POST /settings/translations/<language>": Request(
        form={"part": "company", "t.objects/company/label/one": "Firma {mark}"}
    ),
    # Nothing is in conflict here: told, and left alone.
    "POST /settings/updates": Request(form={"all": "keep"}),
    "POST /settings/updates/apply": Request(
        form={"components": '[{"component": "object/company", "path": "help", "choice": "keep"}]'}
    ),
    "POST /settings/changes": Request(form={"components": _COMPONENTS, "next": "/settings/objects"}),
}
