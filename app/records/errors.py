"""What can go wrong with a record, each with its status and stable code."""

from __future__ import annotations

from app.core.errors import Conflict, InvalidInput, NotFound, RapportError


class UnknownObject(NotFound):
    """The workspace has no object of that name."""

    code = "object.not_found"


class RecordNotFound(NotFound):
    """No live record of that id, or the actor may not see it."""

    code = "record.not_found"


class InvalidRecord(InvalidInput):
    """The values sent break the field types or rules of the object; ``errors`` lists every one."""

    code = "record.invalid"
    title = "The record is not valid"


class UniqueTaken(Conflict):
    """Another live record holds a value that must be unique; ``errors`` names the field."""

    code = "record.unique"
    title = "The value is already taken"


class DeleteRestricted(Conflict):
    """Records that link here must go first; ``extra['blocking']`` counts them by object."""

    code = "record.restricted"
    title = "Other records depend on it"


class StaleVersion(RapportError):
    """The record changed since the version the caller read (``If-Match``); ``extra['version']`` is the present one."""

    status = 412
    code = "record.stale"
    title = "The record was changed meanwhile"


class LeavesReach(Conflict):
    """Whoever writes could not change the record afterwards; confirmed (``leaves_reach``) it is done anyway."""

    code = "record.leaves_reach"
    title = "The record would be out of your reach"


class ParentInTrash(Conflict):
    """The record went to the trash with another one, which must be restored first."""

    code = "record.parent_trashed"
    title = "It belongs to a record in the trash"
