"""The Judgings page: composing, progress, and several judges of the same transcripts beside each other."""
