"""What people say of what they see: views, threads, verdicts, and who did what."""
