"""The bridge's own ports and the addresses that the bridge answers with."""

TUNNEL_PORT = "ovsnp-tun0"
GATEWAY_PORT = "ovsnp-gw0"

TUNNEL_OFPORT = 2654
GATEWAY_OFPORT = 2655
"""OpenFlow ports that `apply` asks for, above those that Open vSwitch hands out by itself."""

FIRST_OFFLINE_OFPORT = 100
"""Where the numbering of pods' ports starts when there is no database to ask."""

ROUTER_MAC = 0x0A5800000001
"""The one MAC address that the bridge has for pods and node alike, on every node (0a:58:00:00:00:01)."""

TUNNEL_UDP_PORTS = {"geneve": 6081, "vxlan": 4789}
"""RFC 8926 and RFC 7348."""

GATEWAY_MAC = 0x0A5800000002
"""The MAC address that `apply` gives the gateway port it makes (0a:58:00:00:00:02)."""
