"""A demo bank that nobody banks with: built as feed batches by plain Python, the same bytes for the same
arguments."""
