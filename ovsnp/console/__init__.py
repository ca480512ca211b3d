"""Policies in a browser, with the effect of a draft before anything is saved."""
