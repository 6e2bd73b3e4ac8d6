"""Other people's programs behind one call: each takes a problem and gives what is to be timed."""
