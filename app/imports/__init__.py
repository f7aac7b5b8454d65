"""Files into records: read, mapped, surveyed, then written in batches by a job that survives any kill."""
