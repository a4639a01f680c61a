"""The tools that are measured: for each, the command that asks all nodes one question,
and how to see in its output how many nodes answered.

The question is what the node is.  cpuherd asks it its own way; the others run
`cpuherd-peer --facts` on a node (the cheap server answers any command with facts).
"""

import json
import os
import re
import shutil
import subprocess

FACTS = re.compile(rb"^(?:\S+: )?fact hostname ", re.M)


def write_inventory(site, names, config):
    return site.write("inventory.ini", "[all]\n%s\n[all:vars]\n"
                      "ansible_ssh_common_args=-F %s\n"
                      "ansible_python_interpreter=/usr/bin/python3\n"
                      % ("\n".join(names), config))


class Job:
    """One question to be asked of some nodes."""

    def __init__(self, site, server, names, parallel, question, cpuherd, kex):
        self.site, self.server, self.parallel = site, server, parallel
        self.question, self.cpuherd, self.kex = question, cpuherd, kex
        self.names = names
        self.hosts = site.write("hosts", "".join(n + "\n" for n in names))
        self.known_hosts = site.path("known_hosts.%s" % server.name)
        self.config = site.write("ssh_config", "\n".join([
            "Host *", "Port %d" % server.port, "User " + site.user,
            "IdentityFile " + site.path("user"), "IdentitiesOnly yes",
            "UserKnownHostsFile " + self.known_hosts, "GlobalKnownHostsFile /dev/null",
            "StrictHostKeyChecking yes", "BatchMode yes", "LogLevel ERROR",
            "KexAlgorithms " + kex if kex else "", ""]))
        self.inventory = write_inventory(site, names, self.config)
        self.key, self.port = site.path("user"), server.port
        self.targets, self.more = self.hosts, []


class Hundred:
    """The same for the nodes of tests/scale/hundred, whose folder it fills itself."""

    def __init__(self, bench, folder):
        def path(name):
            return os.path.join(folder, name)

        self.site, self.parallel = bench.site, bench.window
        self.question, self.cpuherd = bench.peer + " --facts", bench.cpuherd
        self.hosts, self.targets = path("names"), path("hosts")
        self.known_hosts, self.key = path("known_hosts"), path("user")
        self.config, self.port, self.more = path("ssh_config"), 22, ["--connect-timeout", "10"]
        names = ["10.99.0.%d" % i for i in (11, 12, 13)] + ["127.2.0.1", "127.2.0.2"]
        names += ["127.1.0.%d" % i for i in range(1, 96)]
        self.inventory = write_inventory(bench.site, names, self.config)


def cpuherd_options(job):
    options = ["--known-hosts", job.known_hosts, "-i", job.key, "--no-agent", "-p",
               str(job.port), "-l", job.site.user, "-q"] + job.more
    text = subprocess.run([job.cpuherd, "probe", "--help"], capture_output=True, text=True,
                          check=True).stdout
    # the user's own ssh configuration has no part in this
    return options + (["-F", "none"] if re.search(r"^ *-F,", text, re.M) else [])


def cpuherd(job):
    return [job.cpuherd, "probe", "--json", "--hosts", job.targets, "--parallel",
            str(job.parallel)] + cpuherd_options(job)


def xargs(job):
    return ["xargs", "-a", job.hosts, "-P", str(job.parallel), "-I{}", "ssh", "-F",
            job.config, "{}", job.question]


def pdsh(job):
    return ["pdsh", "-R", "ssh", "-f", str(job.parallel), "-w", "^" + job.hosts,
            job.question]


def clush(job):
    return ["clush", "-f", str(job.parallel), "--hostfile", job.hosts, "-o",
            "-F " + job.config, job.question]


def pssh(job):
    return ["parallel-ssh", "-h", job.hosts, "-p", str(job.parallel), "-t", "0", "-i",
            "-x", "-F " + job.config, job.question]


def ansible_raw(job):
    return ["ansible", "all", "-i", job.inventory, "-f", str(job.parallel), "-m", "raw",
            "-a", job.question]


def ansible_setup(job):
    return ["ansible", "all", "-i", job.inventory, "-f", str(job.parallel), "-m", "setup"]


def count_facts(output):
    return len(FACTS.findall(output.replace(b"\r", b"")))


def nodes_of_report(output, wanted):
    """How many nodes are as wanted; of very many the report has equal ones in groups."""
    try:
        report = json.loads(output)
    except ValueError:
        return 0
    nodes = report["nodes"] + (report.get("groups") or [])
    return sum(node.get("count", 1) for node in nodes if wanted(node))


def count_cpuherd(output):
    return nodes_of_report(output, lambda node: node["facts"] and not node["error"])


def count_reasons(output):
    """Nodes of cpuherd's report that have a reason in place of facts."""
    return nodes_of_report(output, lambda node: (node["error"] or {}).get("text"))


def count_ansible(output):
    return len(re.findall(rb"^\S+ \| SUCCESS", output, re.M))


class Tool:
    def __init__(self, name, program, version, command, count=count_facts, most=10 ** 6,
                 real=False):
        self.name, self.program, self.version = name, program, version
        self.command, self.count, self.most = command, count, most
        self.real = real  # it needs more of a node than the cheap server has

    def is_here(self):
        return self.program is None or shutil.which(self.program) is not None


TOOLS = [
    Tool("cpuherd", None, None, cpuherd, count_cpuherd),
    Tool("xargs -P ssh", "xargs", ["ssh", "-V"], xargs),
    Tool("pdsh", "pdsh", ["pdsh", "-V"], pdsh),
    Tool("clush", "clush", ["clush", "--version"], clush),
    Tool("parallel-ssh", "parallel-ssh", ["parallel-ssh", "--version"], pssh),
    Tool("ansible raw", "ansible", ["ansible", "--version"], ansible_raw),
    # its nodes work for seconds each
    Tool("ansible setup", "ansible", ["ansible", "--version"], ansible_setup,
         count_ansible, most=10, real=True),
]


def environment(job):
    """No tool sees this user's own files; pdsh takes ssh's options only so."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TERM")
            if name in os.environ}
    return dict(kept, HOME=job.site.home, PDSH_SSH_ARGS_APPEND="-F " + job.config,
                ANSIBLE_HOME=job.site.path("ansible"), ANSIBLE_NOCOLOR="1",
                ANSIBLE_LOCAL_TEMP=job.site.path("ansible-tmp"))
