"""What the journals say: statistics, tables, pictures."""
