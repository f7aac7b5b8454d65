"""Leads: turning a qualified one into a company, a contact and a deal."""
