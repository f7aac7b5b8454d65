"""What a file is and what it is called: found out here, never believed.

Pictures are told by their first bytes; a file that says it is one and is not becomes plain bytes.
"""

from __future__ import annotations

import mimetypes
import re
import struct
import unicodedata
from typing import TYPE_CHECKING, BinaryIO, Final

from app.metadata.fieldtypes.image import IMAGES

if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN: Final = "application/octet-stream"
#: What a browser may run scripts of; given out as plain bytes, whatever else guards it.
ACTIVE: Final = re.compile(r"[/+](x?html|xml|svg|mathml)\b|/(x-)?(java|ecma)script|/x-shockwave-flash|/x-mht|/rfc822")
NAME_LIMIT: Final = 255
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
#: Marks that turn the direction of text: ``exe.gpj`` would look like ``jpg.exe``.
_TURNING: Final = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
#: Markers of JPEG frames, which tell the size of the picture (ITU T.81, table B.1).
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def clean_name(given: str) -> str:
    """The name to keep: no folders, no control characters, nothing that turns text; its ending stays when it is cut."""
    name = unicodedata.normalize("NFC", given.replace("\\", "/").rpartition("/")[2])
    kept = "".join(one for one in name if unicodedata.category(one) not in {"Cc", "Cs"} and one not in _TURNING)
    kept = " ".join(kept.split()).strip(". ")
    if len(kept) > NAME_LIMIT:
        stem, dot, ending = kept.rpartition(".")
        kept = stem[: NAME_LIMIT - 1 - len(ending)] + dot + ending if dot and len(ending) < 20 else kept[:NAME_LIMIT]
    return kept or "file"


def type_of(stream: BinaryIO, name: str, declared: str) -> str:
    """The media type: of pictures by content, of others by the name's ending or as the sender says."""
    picture = picture_of(stream)
    if picture is not None:
        return picture[0]
    said = declared.partition(";")[0].strip().lower()
    guessed = mimetypes.guess_type(name, strict=True)[0] or (said if _TYPE.fullmatch(said) else UNKNOWN)
    return UNKNOWN if guessed in IMAGES else guessed


def picture_of(stream: BinaryIO) -> tuple[str, int, int] | None:
    """(media type, width, height) of a picture that says how large it is; None for anything else."""
    stream.seek(0)
    head = stream.read(64)
    for begins, kind, measure in _KINDS:
        if head.startswith(begins):
            try:
                width, height = measure(head, stream)
            except (struct.error, IndexError):
                return None
            return (kind, width, height) if width and height else None
    return None


def _png(head: bytes, _stream: BinaryIO) -> tuple[int, int]:
    return struct.unpack(">II", head[16:24]) if head[12:16] == b"IHDR" else (0, 0)


def _gif(head: bytes, _stream: BinaryIO) -> tuple[int, int]:
    return struct.unpack("<HH", head[6:10])


def _webp(head: bytes, _stream: BinaryIO) -> tuple[int, int]:
    """The three forms of a WebP file (RFC 9649 §2)."""
    if head[8:12] != b"WEBP":
        return 0, 0
    form = head[12:16]
    if form == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if form == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _jpeg(_head: bytes, stream: BinaryIO) -> tuple[int, int]:
    """From segment to segment up to the frame."""
    stream.seek(2)
    for _ in range(200):
        marker = stream.read(2)
        if marker[0] != 0xFF:
            return 0, 0
        (length,) = struct.unpack(">H", stream.read(2))
        if marker[1] in _FRAMES:
            _, height, width = struct.unpack(">BHH", stream.read(5))
            return width, height
        if length < 2 or marker[1] == 0xDA:
            return 0, 0
        stream.seek(length - 2, 1)
    return 0, 0


_KINDS: Final[tuple[tuple[bytes, str, Callable[[bytes, BinaryIO], tuple[int, int]]], ...]] = (
    (_PNG, "image/png", _png),
    (_JPEG, "image/jpeg", _jpeg),
    (b"GIF87a", "image/gif", _gif),
    (b"GIF89a", "image/gif", _gif),
    (b"RIFF", "image/webp", _webp),
)
