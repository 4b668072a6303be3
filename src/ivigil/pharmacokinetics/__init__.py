"""Kinetics of immunoglobulin G: models, predictions, one person's curve."""
