"""The only access to Open vSwitch: its command line tools, its database, its control socket and OpenFlow."""
