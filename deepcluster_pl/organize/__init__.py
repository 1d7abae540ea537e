"""A library's files in folders of their groups, months or places: copies and links, never moves."""
