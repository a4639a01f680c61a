"""What the tests of nova share: a node's files under /etc/nova, and cpuherd's eyes on them.

Runs inside the root that ./nova-config made.
"""

import os
import shutil
import subprocess

FOLDER = "/etc/nova/nova.conf.d"
DROP_IN = FOLDER + "/99-cpuherd.conf"
HOME = "/var/lib/nova"


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    os.chmod(path, mode)


def clear():
    """A node with nova and without configuration."""
    for path in ("/etc/nova", HOME, "/etc/other"):
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
    for name in ("/etc/nova.conf", "/etc/nova-compute.conf"):
        if os.path.exists(name):
            os.unlink(name)
    start_with([])
    write("/test/environment", "")


def start_with(arguments, program="/usr/bin/nova-compute"):
    """Says what the unit starts."""
    words = " ".join([program] + arguments)
    write("/test/exec-start", f"{{ path={program} ; argv[]={words} ; ignore_errors=no ; }}")


def node(*words):
    """Runs nova-node; gives its exit status and its output."""
    done = subprocess.run(
        ["/test/nova-node", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.returncode, done.stdout.decode()


def check(condition, *words):
    if not condition:
        raise SystemExit("FAIL  " + " ".join(str(word) for word in words))
