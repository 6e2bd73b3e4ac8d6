"""`arrays`: the user's own data, one numpy file per modality and a table of labels."""
