"""The data set `worlds`: made-up data of which everything is known."""
