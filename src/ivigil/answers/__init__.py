"""Answers to questions in words, composed from statements of the evidence alone. Pure: no clock, no network."""
