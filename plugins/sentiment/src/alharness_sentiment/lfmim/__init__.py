"""`lfmim`: a transformer per modality, and one that looks at all of them layer by layer."""
