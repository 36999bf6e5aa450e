"""Results for people and programs: console, HTML, JSON, Markdown."""
