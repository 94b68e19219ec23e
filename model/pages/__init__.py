"""A scraped news page → its parts: layout, markers, tag line and the splitter of unseparated tags."""
