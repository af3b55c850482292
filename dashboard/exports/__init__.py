"""What leaves the dashboard as a file: charts with their data, and whole reviews."""
