"""`embeddings`: vectors in tables and files of arrays, with labels; mapped from a copy that is made once."""
