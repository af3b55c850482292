"""The live probe: one prompt, several checkpoints, side by side. Plans -> clients -> store; no pages in here."""
