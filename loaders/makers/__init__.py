"""What made the studies in `runs/`. No part of the application: it writes logs with inspect_ai, and trains models."""
