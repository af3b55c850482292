"""The studies in `runs/` are what their makers make."""
