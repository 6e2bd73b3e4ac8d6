"""Entropy sampling: the samples whose predicted distribution is the most spread out."""
