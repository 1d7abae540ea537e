"""Write tables and pictures into the documents."""
