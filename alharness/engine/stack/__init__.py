"""Models of one kind trained together, as one stack of tensors."""
