"""The commands, one a file. The only place that prints."""
