"""`simsv2`, `sims`, `mosi` and `mosei`: pickled features in the format of the MMSA project."""
