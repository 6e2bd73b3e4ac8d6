"""`av_mc`: the acoustic-visual consistent model of CH-SIMS v2.0, its supervised form."""
