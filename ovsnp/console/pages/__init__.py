"""The pages of the console: each takes a snapshot and a request, and fills a template."""
