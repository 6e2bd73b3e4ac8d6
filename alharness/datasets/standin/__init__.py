"""Synthetic data in the shape of a data set that is not there: made, never downloaded, and always said to be so."""
