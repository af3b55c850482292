"""The documentation: Markdown pages, and reference that is made of the code; rendered when it is read.

There is no built copy that could be older than the code: `driftline docs` renders what is installed, in a clone and
from a wheel alike, with what the application needs anyway. Nothing is fetched from another host.
"""
