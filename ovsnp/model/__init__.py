"""The nouns: a cluster and its policies, as the Kubernetes API has them."""
