"""GCNAL: a graph network learns to tell labeled from unlabeled samples, and says which are unlike the labeled."""
