"""The CRM a tenant sees. Start reading at ``app/factory.py``."""
