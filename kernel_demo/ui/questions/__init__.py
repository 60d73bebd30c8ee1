"""The tab "Questions"."""
