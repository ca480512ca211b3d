#!/bin/bash
# Starts Open vSwitch in a node's container: the database beside it, the switch in its place.
set -eu

rundir=${OVS_RUNDIR:-/var/run/openvswitch}
database=${OVS_DBDIR:-/etc/openvswitch}/conf.db

mkdir -p "$rundir" "${database%/*}" /var/log/openvswitch
[ -e "$database" ] || ovsdb-tool create "$database"
ovsdb-server "$database" --remote="punix:$rundir/db.sock" --detach --pidfile --log-file
ovs-vsctl --no-wait init
# Without PMD threads the userspace datapath runs in one thread; the lab is small.
ovs-vsctl --no-wait set open_vswitch . other_config:n-handler-threads=1 other_config:n-revalidator-threads=1
exec ovs-vswitchd "unix:$rundir/db.sock" --pidfile --log-file --disable-system
