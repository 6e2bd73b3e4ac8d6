"""What separates samplers; see `python -m studies.separates`."""
