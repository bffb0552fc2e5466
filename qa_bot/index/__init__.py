"""Documents to a searchable index: load → clean → split → embed → store."""
