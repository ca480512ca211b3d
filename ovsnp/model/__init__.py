"""The data model: a cluster and its policies, in the terms of the Kubernetes API."""
