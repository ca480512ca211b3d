"""What an agent answers over HTTP: its status, its metrics, and what the traffic commands read."""
