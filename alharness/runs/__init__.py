"""What makes a run survive: journals on disk, shared fits, one process per run directory."""
