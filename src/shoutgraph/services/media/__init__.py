"""Videos: taking their bytes, checking them, and giving them out behind signed links; one module each."""
