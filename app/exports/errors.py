"""What can be wrong with an export."""

from __future__ import annotations

from app.core.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound


class InvalidExport(InvalidInput):
    """What is asked for can't be exported. ``errors`` point at the body (``/fields``)."""

    code = "export.invalid"
    title = "The export can't start"

    @classmethod
    def of(cls, option: str, message: str, code: str = "export.invalid") -> InvalidExport:
        """Build the error about one option."""
        return cls(message, [FieldError(f"/{option}", code, message)])


class ExportNotFound(NotFound):
    """No such export of whoever asks, or its file is gone."""

    code = "export.not_found"


class ExportBusy(Conflict):
    """The export is still running, has ended, or too many are under way."""

    code = "export.state"


class ExportOutdated(Forbidden):
    """What its maker may export has become less than what the file holds."""

    code = "export.outdated"
    title = "You may no longer export this"
