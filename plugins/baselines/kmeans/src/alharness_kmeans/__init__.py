"""K-means sampling: the samples nearest to the centers of as many clusters."""
