"""Pharmacokinetics of immunoglobulin G: from published models and a patient's doses to a curve with its uncertainty. Pure: no clock, no files."""
