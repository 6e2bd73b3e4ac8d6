"""Slurm: cells as jobs of an array, from a script that can be printed as well."""
