"""The log: append, seal, read, hand to consumers."""
