"""`sklearn`: estimators of scikit-learn, or of a library that follows its rules, as task models."""
