"""Built-in data sets, each through the same hook as a third party's."""
