"""A learned kernel to take away: compressed, as a file, as code."""
