"""The specification once more, recursive and slow: what the vectors are made with. It imports nothing of src."""
