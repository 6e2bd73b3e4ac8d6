"""ProbCover: the samples whose balls cover most of what is not covered yet."""
