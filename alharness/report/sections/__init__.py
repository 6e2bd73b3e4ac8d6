"""The sections of a report, one file each: from a study to paragraphs, pictures and tables."""
