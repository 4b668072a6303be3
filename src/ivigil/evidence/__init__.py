"""Sources, statements and rules: loaded, checked, selected. All clinical content is here as data; none is in Python."""
