"""Removable sample data for an empty workspace."""
