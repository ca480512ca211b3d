"""Who may talk to the console: sessions, and the checks of every request."""
