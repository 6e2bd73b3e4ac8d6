"""Margin sampling: the samples whose two most probable classes are the closest."""
