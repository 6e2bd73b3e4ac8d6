"""What needs a GPU: that everything is computed there, that it is right, and how long it takes."""
