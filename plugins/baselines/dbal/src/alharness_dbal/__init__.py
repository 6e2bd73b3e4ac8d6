"""DBAL: the samples whose prediction, averaged over dropout, is least certain."""
