"""`linear`: logistic or ridge regression on each modality and on all, with a solver of its own."""
