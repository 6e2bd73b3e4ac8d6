"""Studies: what decisions and pages of the documentation rest on."""
