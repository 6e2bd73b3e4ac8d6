"""Synthetic data in the shape of a data set that is not there: made, never downloaded, and said to be so."""
