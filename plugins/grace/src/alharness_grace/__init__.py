"""GRACE: gradient-based active learning with curriculum enhancement for multimodal data."""
