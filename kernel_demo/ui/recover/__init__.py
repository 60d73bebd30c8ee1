"""The tab "Recover"."""
