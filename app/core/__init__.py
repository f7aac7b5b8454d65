"""The kernel: configuration, engines, errors, jobs, storage, mail, clock, ids. Imports nothing of ours."""
