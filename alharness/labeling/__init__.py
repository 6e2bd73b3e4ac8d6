"""Choosing what to label next in data of your own: from Python, and as a project in a folder."""
