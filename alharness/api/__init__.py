"""What plugin authors and notebook users touch. Everything here is public."""
