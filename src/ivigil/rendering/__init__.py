"""Views of a plan: terminal, JSON, Markdown, HTML, and the tree of reasons. Nothing clinical is decided here."""
