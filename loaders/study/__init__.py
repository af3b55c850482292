"""Run cards and study files: what people say about runs, logs and evals, and where a log belongs by it."""
