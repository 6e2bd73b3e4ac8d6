"""BADGE: a batch of samples whose gradients are large and differ from each other."""
