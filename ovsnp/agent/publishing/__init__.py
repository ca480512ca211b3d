"""What an agent writes into the cluster: its NodePolicyStatus, a condition of its Node, Events."""
