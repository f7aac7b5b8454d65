"""PostgreSQL and Valkey from wheels, run as direct children; used when no server URLs are given."""
