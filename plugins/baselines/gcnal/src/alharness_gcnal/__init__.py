"""GCNAL: a graph network learns which samples are labeled, and scores which of the others are unlike them."""
