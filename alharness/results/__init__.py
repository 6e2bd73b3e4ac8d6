"""The results of runs as tables: the only source of every number that is shown. No pictures, and no words.

`results.Results` is what users of Python get. It holds runs (`run.RunResults`). Each run has one long table of all
that was measured; statistics are views of it. pandas is imported when a table is first asked for.
"""
