"""Who may do what: today fixed roles, enforced at the edge and inside each statement."""
