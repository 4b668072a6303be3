"""``python -m ivigil``."""

from ivigil.cli.app import main

main()
