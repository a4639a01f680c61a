#!/bin/bash
# user-nodes.sh DIR - starts the unprivileged nodes of the lab in DIR, in parallel.
#
# Run by the keeper, so that all that it starts hangs on the keeper.  Each node's FIFO
# is told "ready", or what is wrong.
set -eu

here=$(dirname "$(readlink -f "$0")")
while read -r node; do
	home=$1/nodes/$node
	(cd "$home" && exec bash "$here/user-node.sh" </dev/null >start.log 2>&1 3>ready) &
done <"$1/nodes.list"
wait
