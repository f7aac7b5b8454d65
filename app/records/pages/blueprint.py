"""All routes of the records' pages on one blueprint; registering it also binds the frame around every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint

from app.records.pages import (
    assigning,
    boards,
    choosing,
    composing,
    creating,
    editing,
    filtering,
    finding,
    history,
    lists,
    live,
    moving,
    people,
    record,
    trashcan,
    view_dialogs,
)
from app.records.pages.frame import build_shell
from app.ui import shell

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState

blueprint = Blueprint("records_pages", __name__)

_OBJECT = "/records/<object_name>"
_OWN_VIEW = f"{_OBJECT}/views/<own_view_name>"
_RECORD = "/records/<object_name>/<uuid:record_id>"
_FIELD = f"{_RECORD}/fields/<field_name>"

blueprint.add_url_rule(_OBJECT, view_func=lists.list_page)
blueprint.add_url_rule(f"{_OBJECT}/trash", view_func=lists.trash_chosen, methods=["POST"])
blueprint.add_url_rule(f"{_OBJECT}/restore", view_func=lists.restore_chosen, methods=["POST"])
blueprint.add_url_rule(f"{_OBJECT}/owner", view_func=assigning.assign, methods=["POST"])
blueprint.add_url_rule(f"{_OBJECT}/board", view_func=boards.board_page)
blueprint.add_url_rule(f"{_OBJECT}/new", view_func=creating.new_dialog)
blueprint.add_url_rule(f"{_OBJECT}/new", view_func=creating.create, methods=["POST"])
blueprint.add_url_rule(f"{_OBJECT}/live", view_func=live.new_record, methods=["POST"])
blueprint.add_url_rule(f"{_OBJECT}/columns", view_func=choosing.columns_dialog)
blueprint.add_url_rule(f"{_OBJECT}/columns", view_func=choosing.save_columns, methods=["POST"])
blueprint.add_url_rule(f"{_OBJECT}/rows", view_func=filtering.filter_rows, methods=["POST"])
blueprint.add_url_rule(f"{_OBJECT}/options", view_func=finding.options)
blueprint.add_url_rule(f"{_OBJECT}/views/new", view_func=view_dialogs.new_view_dialog)
blueprint.add_url_rule(f"{_OBJECT}/views/new", view_func=view_dialogs.save_new_view, methods=["POST"])
blueprint.add_url_rule(_OWN_VIEW, view_func=view_dialogs.view_dialog)
blueprint.add_url_rule(_OWN_VIEW, view_func=view_dialogs.save_view, methods=["POST"])
blueprint.add_url_rule(f"{_OWN_VIEW}/shown", view_func=view_dialogs.save_shown_view, methods=["POST"])
blueprint.add_url_rule(f"{_OWN_VIEW}/delete", view_func=view_dialogs.trash_view, methods=["POST"])
blueprint.add_url_rule(f"{_OWN_VIEW}/restore", view_func=view_dialogs.bring_back_view, methods=["POST"])
blueprint.add_url_rule(_RECORD, view_func=record.record_page)
blueprint.add_url_rule(f"{_RECORD}/related", view_func=record.related)
blueprint.add_url_rule(f"{_RECORD}/trash", view_func=record.trash, methods=["POST"])
blueprint.add_url_rule(f"{_RECORD}/live", view_func=live.present_record, methods=["POST"])
blueprint.add_url_rule(f"{_RECORD}/activities", view_func=composing.add, methods=["POST"])
blueprint.add_url_rule(f"{_RECORD}/done", view_func=composing.tick, methods=["POST"])
blueprint.add_url_rule(f"{_RECORD}/timeline", view_func=composing.more)
blueprint.add_url_rule(_FIELD, view_func=editing.show)
blueprint.add_url_rule(f"{_FIELD}/edit", view_func=editing.edit)
blueprint.add_url_rule(_FIELD, view_func=editing.save, methods=["POST"])
blueprint.add_url_rule(f"{_FIELD}/move", view_func=moving.move_dialog)
blueprint.add_url_rule(f"{_FIELD}/move", view_func=moving.move, methods=["POST"])
blueprint.add_url_rule(f"{_FIELD}/moved", view_func=moving.moved_toast)
blueprint.add_url_rule(f"{_FIELD}/history", view_func=history.of_field)
blueprint.add_url_rule("/search", view_func=finding.palette)
blueprint.add_url_rule("/people", view_func=people.people)
blueprint.add_url_rule("/trash", view_func=trashcan.trash_page)
blueprint.add_url_rule("/trash/<object_name>/<uuid:record_id>/restore", view_func=trashcan.restore, methods=["POST"])
blueprint.add_url_rule("/trash/<object_name>/<uuid:record_id>/destroy", view_func=trashcan.destroy, methods=["POST"])


@blueprint.record_once
def bind_frame(state: BlueprintSetupState) -> None:
    """Tell the UI kit who knows member, rights and catalog."""
    shell.provide(cast("Flask", state.app), build_shell)
