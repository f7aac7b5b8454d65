"""``image``: an uploaded picture that a page may show: PNG, JPEG, GIF or WebP, found out by its content."""

from __future__ import annotations

from typing import Final

from app.metadata.fieldtypes.file import FileType

#: What browsers show and nothing can run in; never SVG, which is a document with scripts.
IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


class ImageType(FileType):
    """Written and read like a file."""

    name = "image"

    def takes(self, type_: str) -> bool:
        """Pictures only."""
        return type_ in IMAGES


TYPE = ImageType()
