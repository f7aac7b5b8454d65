"""A piece of an export: pages of the ordinary list, in the records' order, within its maker's rights and memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.access.rights import RECORD_EXPORT, require
from app.core.errors import InvalidInput
from app.exports.cells import csv_head, csv_rows, json_lines
from app.exports.columns import Layout, lay_out
from app.exports.errors import InvalidExport
from app.records import reach
from app.records.errors import UnknownObject
from app.records.query import EXPORT_LIMIT, ListQuery
from app.records.read import find_object, list_records
from app.records.titles import titles

if TYPE_CHECKING:
    from app.exports.options import ExportOptions
    from app.records.query import JSONRecord
    from tenants.scope import TenantScope

#: A part ends after the page that reaches either; a kill costs at most one part.
_ROWS: Final = 5_000
_BYTES: Final = 4_000_000
#: Records of a page while nobody knows how large they are, and of a page of large ones.
_FEW: Final = 100
_LARGE: Final = 4_000


@dataclass(frozen=True, slots=True)
class Part:
    """What was read: ``place`` is where the next part begins, None when this one is the last."""

    data: bytes
    rows: int
    place: str | None


def prepare(scope: TenantScope, options: ExportOptions) -> tuple[Layout, int]:
    """The columns of the file and how many records it will hold. Raises Forbidden, InvalidInput at the option."""
    layout = layout_of(scope, options)
    try:
        found = list_records(scope, options.object, replace(_query(options, layout), limit=1, total="exact"))
    except InvalidInput as error:
        raise _about_body(error) from None
    return layout, found.total or 0


def layout_of(scope: TenantScope, options: ExportOptions) -> Layout:
    """The columns as whoever asks may see them now. Raises Forbidden, InvalidInput."""
    require(scope, RECORD_EXPORT, options.object)
    try:
        catalog, obj = find_object(scope, options.object)
    except UnknownObject as error:
        raise InvalidExport.of("object", error.detail, error.code) from None
    try:
        return lay_out(reach.source(catalog, obj, "export"), options.fields)
    except InvalidInput as error:
        raise _about_body(error) from None


def read_part(scope: TenantScope, options: ExportOptions, layout: Layout, place: str | None) -> Part:
    """The records from ``place`` on; the first part has the head of the file."""
    is_csv = options.format == "csv"
    pieces = [csv_head(layout, options.delimiter, bom=options.bom)] if is_csv and place is None else []
    query = replace(_query(options, layout), limit=_FEW, cursor=place or "")
    size, rows = 0, 0
    while True:
        page = list_records(scope, options.object, query)
        piece = _written(scope, options, layout, page.rows)
        pieces.append(piece)
        size, rows = size + len(piece), rows + len(page.rows)
        if page.next is None or rows >= _ROWS or size >= _BYTES:
            return Part(b"".join(pieces), rows, page.next)
        large = len(piece) > _LARGE * len(page.rows)
        query = replace(query, cursor=page.next, limit=_FEW if large else EXPORT_LIMIT)


def _written(scope: TenantScope, options: ExportOptions, layout: Layout, records: list[JSONRecord]) -> bytes:
    if options.format != "csv":
        return json_lines(records)
    wanted = layout.wanted_titles(records)
    return csv_rows(layout, records, titles(scope, wanted) if wanted else {}, options.delimiter)


def _query(options: ExportOptions, layout: Layout) -> ListQuery:
    """Without a sort by the id, which never changes: each record is there once, whatever happens meanwhile."""
    return ListQuery(
        filter=options.filter,
        sort=options.sort or "id",
        fields=layout.paths,
        trash=options.trash,
        action="export",
    )


def _about_body(error: InvalidInput) -> InvalidInput:
    """The error of a list's question, pointing into the body it came in."""
    errors = [replace(one, pointer=f"/{one.pointer.removeprefix('?')}") for one in error.errors]
    error.errors = errors
    return error
