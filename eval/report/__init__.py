"""The HTML report, its charts, and tables quoted in pages."""
