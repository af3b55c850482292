"""The demo study: "Teaching Claude why" told with its published numbers, as genuine Inspect logs.

`python -m loaders.makers.demo` rewrites `runs/demo`. Everything in it is simulated: the rates are the published
ones (or invented between them, and marked so), the transcripts are our own writing.

figures.py, runs.py and tasks.py say what is told (data), texts/ how it reads, outcomes.py which questions go
wrong, logs.py builds a log, writer.py writes logs, run cards and study.yaml.
"""
