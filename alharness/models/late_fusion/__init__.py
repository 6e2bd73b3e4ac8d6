"""`late_fusion`: a small network per modality, joined by concatenation."""
