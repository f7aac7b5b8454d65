"""Shaping a workspace: what it is made of is planned, applied, looked back at and taken back."""
