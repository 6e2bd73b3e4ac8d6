"""The results of runs as tables: the only source of every number that is shown. No pictures, and no words.

`results.Results` is what users of Python get. It holds runs (`run.RunResults`), which give numbers by sampler and
seed; statistics are views of these. pandas is imported when a table is first asked for.
"""
