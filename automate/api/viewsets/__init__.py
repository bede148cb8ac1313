"""Views of workflows, one module for each noun."""
