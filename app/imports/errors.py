"""What can be wrong with an import as a whole; what is wrong with a row is kept with the row."""

from __future__ import annotations

from app.core.errors import Conflict, FieldError, InvalidInput, NotFound


class InvalidImport(InvalidInput):
    """The options or the file can't be used; nothing was written. ``errors`` point at options (``/options/map``)."""

    code = "import.invalid"
    title = "The import can't start"

    @classmethod
    def of(cls, option: str, message: str, code: str = "import.invalid") -> InvalidImport:
        """Build the error about one option."""
        return cls(message, [FieldError(f"/options/{option}", code, message)])


class ImportNotFound(NotFound):
    """No such import in this workspace."""

    code = "import.not_found"


class ImportBusy(Conflict):
    """The import is still running, or was undone before."""

    code = "import.state"
