"""Labeling tools: what is to be labeled goes to them, and labels come back, through files or a server."""
