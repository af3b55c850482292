"""What trainers log while they train: metrics by step, and the checkpoints that they name without a folder."""
