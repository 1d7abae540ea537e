"""Tables as people have them: read, looked at column by column, and made into numbers."""
