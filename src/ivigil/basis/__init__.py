"""Values the whole program shares; nothing here knows any medicine."""
