"""CoreSet: the batch whose points, with the labeled ones, come close to every point of the pool."""
