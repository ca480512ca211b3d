"""The bridge's own ports, and the MAC addresses of the bridge."""

TUNNEL_PORT = "ovsnp-tun0"
GATEWAY_PORT = "ovsnp-gw0"

TUNNEL_OFPORT = 2654
GATEWAY_OFPORT = 2655
"""The OpenFlow ports that `apply` asks for, above the ports that Open vSwitch assigns by itself."""

FIRST_OFFLINE_OFPORT = 100
"""The OpenFlow port of the first pod where no database is read."""

ROUTER_MAC = 0x0A5800000001
"""The MAC address that pods and node see for the bridge, the same on every node (0a:58:00:00:00:01)."""

TUNNEL_UDP_PORTS = {"geneve": 6081, "vxlan": 4789}
"""The UDP ports of the tunnel protocols (RFC 8926, RFC 7348)."""

GATEWAY_MAC = 0x0A5800000002
"""The MAC address that `apply` gives to a new gateway port (0a:58:00:00:00:02)."""
