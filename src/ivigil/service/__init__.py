"""The hospital's doors: web pages, REST, CDS Hooks and FHIR from one process. Needs the extra ``web``."""
