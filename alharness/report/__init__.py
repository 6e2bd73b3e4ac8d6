"""Results as words, tables and pictures: a page, files, and what a notebook shows."""
