"""The command line: reads arguments, files and the clock, and hands the rest to pure functions."""
