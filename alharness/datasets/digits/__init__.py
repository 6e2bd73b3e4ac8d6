"""`digits`: scikit-learn's bundled images of handwritten digits as three modalities."""
