"""Parts of what people say of what they see: views, notes, verdicts, agreement."""
