"""The sections of a report, one file each: from results to paragraphs, pictures and tables."""
