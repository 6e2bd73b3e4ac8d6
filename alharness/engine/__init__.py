"""The loop, training and selection: torch, in memory only. It knows no files and no specs."""
