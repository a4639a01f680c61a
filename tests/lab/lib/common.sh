# shellcheck shell=bash disable=SC2154 # dir, here, bin, kind, virt: of ../lab
# common.sh - words that all parts of the lab use.  Sourced.
#
# The lab's state is the folder $dir and nothing else:
#	keeper.pid		the process that everything hangs on
#	kind, virt		namespace|unprivileged, kvm|qemu
#	id_ed25519, known_hosts, ssh_config, hosts, etc-hosts
#	bin/			the lab's programs, if it had to build them
#	nodes/NODE/		address, port, user, uri, cpu.facts, host keys, logs

die() {
	printf 'lab: %s\n' "$*" >&2
	exit 1
}

say() {
	printf 'lab: %s\n' "$*" >&2
}

# deadline SECONDS CONDITION...: tries the condition until it holds.
deadline() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.02
	done
}

nodes() {
	cat "$dir/nodes.list"
}

need_node() {
	[ -n "${1:-}" ] || die "which node? One of: $(nodes | tr '\n' ' ')"
	grep -qxF -- "$1" "$dir/nodes.list" ||
		die "no node '$1' in $dir. There are: $(nodes | tr '\n' ' ')"
}

# The value of one of a node's small files.
node_of() {
	cat "$dir/nodes/$1/$2"
}

# A number that is still the keeper's: a PID may have gone to another process.
keeper_pid() {
	local pid
	read -r pid 2>/dev/null <"$dir/keeper.pid" || return 1
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = lab-keeper ] || return 1
	echo "$pid"
}

need_lab() {
	keeper_pid >/dev/null || die "no lab is up in $dir (lab up makes one)"
	# shellcheck disable=SC2034 # for who called
	kind=$(cat "$dir/kind") virt=$(cat "$dir/virt")
}

need_program() {
	command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] ||
		die "$1 is missing (Debian: apt-get install $2)"
}

# The lab's own programs: as CMake built them, or built here by the same rules.
find_programs() {
	bin=${CPUHERD_LAB_BIN:-}
	[ -n "$bin" ] || build_programs
	for program in fakecpu.so killat.so lab-keeper lab-probe; do
		[ -r "$bin/$program" ] || die "$bin/$program is missing: build the tests first"
	done
}

build_programs() {
	local flags=(-std=c11 -D_GNU_SOURCE -O1 -g)
	bin=$dir/bin
	need_program cc gcc
	mkdir -p "$bin"
	cc "${flags[@]}" -fPIC -shared -fvisibility=hidden -o "$bin/fakecpu.so" \
		"$here"/fakecpu/*.c
	cc "${flags[@]}" -fPIC -shared -fvisibility=hidden -o "$bin/killat.so" "$here/killat.c"
	cc "${flags[@]}" -o "$bin/lab-keeper" "$here/keeper.c"
	cc "${flags[@]}" -o "$bin/lab-probe" "$here/probe.c"
}

# A log's last lines, marked, for the message of a failure.
tail_of() {
	[ ! -s "$1" ] || tail -n 5 "$1" | sed "s|^|	${1##*/}: |" >&2
}

node_failed() {
	say "node $1 did not come up: $2"
	for log in "$dir/nodes/$1"/*.log; do
		tail_of "$log"
	done
	return 1
}

# Whether sshd's log says that it listens.
sshd_listens() {
	grep -q 'Server listening on' "$1" 2>/dev/null
}

make_key() {
	ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$1" </dev/null
}

# What both kinds tell sshd.
sshd_common() {
	cat <<-EOF
		UsePAM no
		UseDNS no
		StrictModes no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		LogLevel VERBOSE
		MaxStartups 500
		MaxSessions 500
		Subsystem sftp internal-sftp
	EOF
}

# libvirtd without the company of dbus, systemd, virtlogd, cgroups and AppArmor.
qemu_common() {
	cat <<-EOF
		stdio_handler = "file"
		security_driver = "none"
		namespaces = []
		cgroup_controllers = []
		remember_owner = 0
		dynamic_ownership = 0
	EOF
}
