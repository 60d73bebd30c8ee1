"""Every sentence that a visitor reads, a module for each tab."""
