"""The patient record: read from YAML, JSON or FHIR R4, checked for unit slips, turned into facts with origins."""
