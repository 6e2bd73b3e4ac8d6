"""TypiClust: the most typical samples of the largest clusters without a label."""
