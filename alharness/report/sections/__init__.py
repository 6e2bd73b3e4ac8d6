"""The sections of a report: from results to paragraphs, pictures and tables."""
