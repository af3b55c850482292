"""What people say of what they see: views, threads, verdicts, judgings, and who did what."""
