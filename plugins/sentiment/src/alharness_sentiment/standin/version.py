"""The version of what is generated. No heavy imports: the name of a stored stand-in depends on it."""

VERSION = 2
"""Raise it with every change of what is generated, so that no older folder is taken for the new one."""
