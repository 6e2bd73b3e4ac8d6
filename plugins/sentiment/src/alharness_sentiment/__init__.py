"""Multimodal sentiment and emotion: data sets, their stand-ins, models and metrics, as plugins of alharness."""
