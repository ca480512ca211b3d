"""The only door to Open vSwitch: its command line tools and its database."""
