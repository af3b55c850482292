"""What a study file could say of tables that none maps: proposed from their columns, values and paths."""
