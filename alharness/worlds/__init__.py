"""The generator of made-up data: who is in a world, and the features that are mixed from what is known of them.

The data set `worlds` and the stand-ins of the data sets of sentiment are made by it. They differ in their law of
labels alone: what each modality shows, and which label follows from it.
"""
