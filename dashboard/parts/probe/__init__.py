"""What the Probe page is put together from."""
