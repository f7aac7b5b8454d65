"""Uploaded files: taken in, given out to whoever may read what points to them, thrown away when nothing does."""
