"""Archives of prompt logs beside building them in memory."""
