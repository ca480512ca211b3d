"""Why a connection is allowed or denied: the verdict of the oracle, with what matched and what came nearest."""
