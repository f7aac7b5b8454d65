"""The start page of a workspace: what is next for me, and how far setting up has come."""
