"""What stands around every page, and what all of them do alike."""
