"""People and how they get in: passwords, sessions, tickets into workspaces, invitations, members, keys."""
