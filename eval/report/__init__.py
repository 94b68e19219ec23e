"""The HTML report with its charts, and tables for Markdown pages."""
