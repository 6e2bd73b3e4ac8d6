"""BMMAL: BADGE on representations whose modalities are weighted by what they contribute to the prediction."""
