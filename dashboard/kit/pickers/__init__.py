"""What the reader picks: runs, evals, definitions, filters; and what is picked at first."""
