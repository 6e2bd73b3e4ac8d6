"""`cherma`: emotions of Chinese utterances, from the JSON files and features of the LFMIM project."""
