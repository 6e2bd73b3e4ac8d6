"""Observers of a run, registered through the same hooks as a third party's: MLflow and the console."""
