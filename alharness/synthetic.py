"""The words for made-up data, in one place, so that they are the same on every page and in every name. Light."""

SUFFIX = "-standin"
"""Ends the names of experiments on synthetic data, so that they never share a folder or a chart with real ones."""

NOTICE = (
    "SYNTHETIC DATA: the data set is made up. Its results are not comparable with the paper, nor with any run on "
    "real data."
)
"""Said before a run, after it, and by `check`."""


def name_experiment(name: str, *, synthetic: bool) -> str:
    """The name, ending with the suffix where the data are synthetic."""
    return f"{name.removesuffix(SUFFIX)}{SUFFIX}" if synthetic else name
