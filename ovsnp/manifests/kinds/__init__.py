"""Objects of each kind, from the wire to the model, with the checks of the API server."""
