"""``/api/v1``: members' roles and invitations, teams, roles, sharing, the audit log."""
