"""Records into files: what its maker may export and sees, written by a job that survives any kill."""
