"""How numbers, durations, tables and words are written."""
