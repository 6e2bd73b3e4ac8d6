"""BALD: the samples on which the draws of the model disagree although each of them is sure."""
