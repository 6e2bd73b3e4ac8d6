"""`ames`: the price of a house from its place, its size, how it is built, and how it was sold."""
