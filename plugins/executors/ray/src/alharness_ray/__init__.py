"""Runs of alharness on a Ray cluster."""
