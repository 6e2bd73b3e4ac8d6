"""`openclipart`: drawings in the public domain as pictures, words and structure, in thirteen classes."""
