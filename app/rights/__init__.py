"""The people's side of rights: members, teams, roles, sharing, why somebody may, and who did what."""
