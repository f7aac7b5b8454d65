"""A tenant's metadata: kinds, field types, layers, the compiled catalog and the DDL writer."""
