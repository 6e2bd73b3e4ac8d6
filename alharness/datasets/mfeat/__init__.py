"""`mfeat`: the UCI data set Multiple Features, real numerals in feature views, imported once."""
