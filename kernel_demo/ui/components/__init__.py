"""One component a place, its .py, .js, .css and .html together. They know no tab."""
