"""What the database refused, in the words of the API.

Two writers can only collide in the database; its constraint names lead back to the field.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from app.core.errors import Conflict, FieldError
from app.metadata.ddl.names import foreign_key_name, unique_name
from app.records.drafts import invalid
from app.records.errors import UniqueTaken

if TYPE_CHECKING:
    from collections.abc import Generator

    from app.metadata.model import Field, ObjectType


class RecordBusy(Conflict):
    """Somebody else's write holds the record for too long; trying again helps."""

    code = "record.busy"
    title = "The record is being changed"
    passing = True


@contextmanager
def translated(object_type: ObjectType) -> Generator[None]:
    """Turn unique and foreign-key violations, rows too wide, lock timeouts and deadlocks inside into our errors."""
    try:
        yield
    except psycopg.errors.UniqueViolation as violation:
        raise taken(object_type, _field_of(object_type, violation)) from violation
    except psycopg.errors.ForeignKeyViolation as violation:
        field = _field_of(object_type, violation)
        message = f"{field.label if field else 'A link'} points to a record that is not there."
        raise invalid(
            object_type, [FieldError(f"/{field.name if field else ''}", "link.not_found", message)]
        ) from violation
    except psycopg.errors.ProgramLimitExceeded as error:
        # A row of very many filled fields: PostgreSQL holds 8 kB of what can't be moved out of it.
        message = f"This {object_type.label.lower()} holds more in its fields than one record can."
        raise invalid(object_type, [FieldError("", "record.too_large", message)]) from error
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
        raise RecordBusy("Somebody else is changing this record at the moment; please try again.") from error


def taken(object_type: ObjectType, field: Field | None) -> UniqueTaken:
    """The 409 of a unique value that another live record holds."""
    if field is None:
        return UniqueTaken(f"Another {object_type.label} has the same value.")
    message = f"Another {object_type.label} has the same {field.label}."
    return UniqueTaken(message, [FieldError(f"/{field.name}", "record.unique", message)])


def _field_of(object_type: ObjectType, violation: psycopg.Error) -> Field | None:
    """The field whose unique index or foreign key was violated, by the constraint's name."""
    broken = violation.diag.constraint_name
    for field in object_type.fields.values():
        keys = {foreign_key_name(object_type.table, column.name) for column in field.columns}
        if broken in keys | {unique_name(object_type.table, column.name) for column in field.columns}:
            return field
    return None
