"""Paper: PDF of plan and leaflet, calendar files and QR codes. Each library of the extra ``print`` is imported in one module only."""
