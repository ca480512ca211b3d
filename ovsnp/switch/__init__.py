"""The only access to Open vSwitch: through its command line tools, its database and its control socket."""
