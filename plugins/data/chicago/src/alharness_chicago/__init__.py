"""`chicago`: how many people enter a station on a day, from other stations, the weather and the calendar."""
