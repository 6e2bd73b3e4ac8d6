"""One file for each suite: every `test_*.py` in this folder is run, and its rows are added to the table."""
