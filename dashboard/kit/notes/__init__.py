"""What people note on what they see."""
