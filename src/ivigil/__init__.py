"""ivigil plans immunoglobulin therapy: from a patient record to a checked plan in which every line carries its source."""

__version__ = "0.1.0"
