"""What can be said of texts and conversations without knowing where they come from. Pure: no store, no frames."""
