# shellcheck shell=bash disable=SC2154,SC2016
# SC2154: dir and kind are of ../lab.  SC2016: scripts in quotes are for the node.
# migrate.sh - nodes between which libvirt can migrate guests.  Sourced.

# NODE...: fills some; all nodes, where none is named.
choose_nodes() {
	local node
	need_lab
	[ "$kind" = namespace ] || die "migration needs namespace nodes"
	some=("$@")
	[ $# -gt 0 ] || mapfile -t some < <(nodes)
	for node in "${some[@]}"; do
		need_node "$node"
	done
}

# For qemu+ssh: root of these nodes logs in to every node, with the lab's key.
lab_join() {
	local some node
	choose_nodes "$@"
	for node in "${some[@]}"; do
		in_node "$node" 'umask 077; cd /root/.ssh; printf "%s\n" "$1" >id_ed25519
			printf "%s\n" "$2" >known_hosts' \
			"$(cat "$dir/id_ed25519")" "$(cat "$dir/known_hosts")"
	done
}

# WHAT SUBJECT OPTION...: a key and its certificate, WHAT.key and WHAT.pem.
make_certificate() {
	local what=$dir/pki/$1 subject=$2
	shift 2
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
		-subj "/CN=$subject" -keyout "$what.key" -out "$what.pem" "$@" 2>"$what.log" ||
		die "openssl makes no certificate: $(tail -n 1 "$what.log")"
}

node_certificate() {
	make_certificate "$1" "$1" -CA "$dir/pki/ca.pem" -CAkey "$dir/pki/ca.key" \
		-addext "subjectAltName=DNS:$1,IP:$(node_of "$1" address)" \
		-addext basicConstraints=critical,CA:FALSE
}

# Names and folders are those that libvirt has for them (libvirt.org, Setting up TLS).
put_certificate() {
	in_node "$1" 'umask 077; mkdir -p /etc/pki/CA /etc/pki/libvirt/private; cd /etc/pki
		printf "%s\n" "$1" >CA/cacert.pem
		for side in server client; do
			printf "%s\n" "$2" >libvirt/${side}cert.pem
			printf "%s\n" "$3" >libvirt/private/${side}key.pem
		done' "$(cat "$dir/pki/ca.pem")" "$(cat "$dir/pki/$1.pem")" "$(cat "$dir/pki/$1.key")"
}

# For qemu+tcp and qemu+tls.  Without systemd libvirtd binds the ports itself.
lab_listen() {
	local some node
	choose_nodes "$@"
	need_program openssl openssl
	mkdir -p "$dir/pki"
	[ -e "$dir/pki/ca.pem" ] || make_certificate ca "the CA of a lab"
	for node in "${some[@]}"; do
		[ ! -e "$dir/pki/$node.pem" ] || continue
		node_certificate "$node"
		put_certificate "$node"
		in_node "$node" 'echo --listen >$P/libvirtd.options
			printf "%s\n" "listen_tcp = 1" "auth_tcp = \"none\"" >>/etc/libvirt/libvirtd.conf'
		lab_restart_libvirt "$node"
	done
}
