"""What can be wrong with files."""

from __future__ import annotations

from app.core.errors import InvalidInput, NotFound


class FileNotThere(NotFound):
    """No such file, or not for whoever asks: which one is not told."""

    code = "file.not_found"


class InvalidFile(InvalidInput):
    """What was sent is no file that can be kept."""

    code = "file.invalid"
