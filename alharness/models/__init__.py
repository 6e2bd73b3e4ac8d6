"""Built-in task models, each through the same hook as a third party's."""
