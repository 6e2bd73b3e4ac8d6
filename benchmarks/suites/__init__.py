"""One file a suite: whatever `test_*.py` lies here is run, and its rows come into the table."""
