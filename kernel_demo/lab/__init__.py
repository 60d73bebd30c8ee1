"""The experiments behind the questions."""
