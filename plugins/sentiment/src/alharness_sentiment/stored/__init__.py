"""The folder format of converted data sets: checksummed .npy files, memory-mapped, and a manifest."""
