"""A folder with keys, and servers on 127.0.0.0/8 that all tools of the bench talk to.

A node is an address of 127.1.0.0/16 with the server's port: to every tool it is a
machine of its own.
"""

import getpass
import os
import signal
import subprocess
import time

SSHD = "/usr/sbin/sshd"


class Site:
    """Keys, the facts that the cheap server gives, an empty home for logins."""

    def __init__(self, folder, peer):
        self.folder = folder
        self.user = getpass.getuser()
        self.home = self.path("home")
        self.empty = self.path("empty")
        for name in (self.home, self.empty):
            os.makedirs(name)
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench",
                            "-f", self.path(key)], check=True)
        self.facts = self.path("facts")
        with open(self.facts, "wb") as out:
            subprocess.run([peer, "--facts"], check=True, stdout=out)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path


def addresses(count):
    return ["127.1.%d.%d" % (i // 250, i % 250 + 1) for i in range(count)]


class Server:
    """Any of the two; `port` is where it listens."""

    running = []

    def __init__(self, site, name, command, port):
        self.site, self.name, self.port = site, name, port
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        Server.running.append(self)

    def known_hosts(self, names):
        with open(self.site.path("host.pub"), encoding="utf-8") as key:
            blob = " ".join(key.read().split()[:2])
        return self.site.write("known_hosts.%s" % self.name, "".join(
            "[%s]:%d %s\n" % (name, self.port, blob) for name in names))

    def cpu(self):
        """Seconds of CPU so far, of the server and of its children that have ended."""
        with open("/proc/%d/stat" % self.process.pid, encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return sum(int(f) for f in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        Server.running.remove(self)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def cheap_server(site, program, delay_ms=0):
    server = Server(site, "cheap", [program, "0", site.path("host"), site.path("user.pub"),
                                    site.facts, site.facts, str(delay_ms)], 0)
    server.port = int(server.process.stdout.readline())
    return server


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def real_sshd(site, max_startups="10000", more=""):
    """One sshd for all addresses; its logins have an empty home, which keeps the peer."""
    port = free_port()
    os.makedirs("/run/sshd", exist_ok=True)
    config = site.write("sshd_config", "\n".join([
        "ListenAddress 0.0.0.0", "Port %d" % port, "HostKey " + site.path("host"),
        "AuthorizedKeysFile " + site.path("user.pub"), "StrictModes no", "UsePAM no",
        "UseDNS no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
        "PermitRootLogin yes", "PidFile none", "PrintMotd no",
        "MaxStartups " + max_startups, more,
        "SetEnv HOME=%s XDG_RUNTIME_DIR=%s PATH=/usr/bin:/bin" % (site.home, site.empty),
        ""]))
    server = Server(site, "sshd", [SSHD, "-D", "-f", config, "-E",
                                   site.path("sshd.log")], port)
    for _ in range(200):
        with open(site.path("sshd.log"), "a+", encoding="utf-8") as log:
            log.seek(0)
            if "Server listening" in log.read():
                return server
        time.sleep(0.02)
    raise SystemExit("bench: sshd did not start: see " + site.path("sshd.log"))
