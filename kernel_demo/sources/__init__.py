"""Where pictures come from: bundled photos, a dataset on the Hub, the visitor."""
