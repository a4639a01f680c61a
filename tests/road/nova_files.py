"""The files that the peer says nova reads, in its order, against what nova takes in the end.

Random layouts of files and command lines: each file names itself as the model, so the value
that nova ends with tells which one it read last.
"""

import os
import random

import nova.conf
from nova_world import DROP_IN, FOLDER, HOME, check, clear, node, start_with, write
from oslo_config import cfg

PLACES = [
    f"{folder}/{name}"
    for folder in (HOME + "/.nova", HOME, "/etc/nova", "/etc")
    for name in ("nova.conf", "nova-compute.conf")
] + [
    f"{folder}/{name}"
    for folder in (HOME + "/.nova/nova.conf.d", HOME + "/nova-compute.conf.d", FOLDER,
                   "/etc/nova/nova-compute.conf.d", "/etc/other")
    for name in ("00.conf", "50-Site.conf", "99-zz.conf", ".hidden.conf", "not.config")
]
FILES = ["/etc/nova/nova.conf", "/etc/nova/nova-compute.conf", "/etc/other/00.conf"]
FOLDERS = [FOLDER, "/etc/nova/nova.conf.d/", "/etc/other", "/etc/nova/nova-compute.conf.d"]


def random_arguments(dice):
    arguments = []
    for _ in range(dice.choice((0, 0, 1, 2, 3))):
        option, values = dice.choice((("--config-file", FILES), ("--config-dir", FOLDERS)))
        value = dice.choice([v for v in values if os.path.exists(v)] or [""])
        if not value:
            continue
        arguments += [f"{option}={value}"] if dice.random() < 0.5 else [option, value]
    return arguments


def ask_nova(arguments):
    conf = cfg.ConfigOpts()
    nova.conf.libvirt.register_opts(conf)
    conf(arguments, project="nova", prog="nova-compute")
    return conf.libvirt.cpu_models


def one(number):
    dice = random.Random(number)
    clear()
    for path in PLACES:
        if dice.random() < 0.35:
            write(path, f"[libvirt]\ncpu_models = {path}\n")
    arguments = random_arguments(dice)
    start_with(arguments)
    status, out = node("look", "nova.conf.d")
    check(status == 0, number, out)
    lines = [line.split(" ") for line in out.splitlines()]
    files = [line[1] for line in lines if line[0] == "file"]
    options = [line[4] for line in lines if line[0] == "option"]
    what = (number, arguments, files)
    check(ask_nova(arguments) == options[-1:], *what, ask_nova(arguments), options)
    check(options == [f for f in files if os.path.exists(f)], *what, options)
    # and the drop-in: it counts where the list says that nothing is read behind it
    write(DROP_IN, f"[libvirt]\ncpu_models = {DROP_IN}\n")
    read = [f for f in files if os.path.exists(f)]
    wins = read[-1:] == [DROP_IN]
    check((ask_nova(arguments) == [DROP_IN]) == wins, *what, ask_nova(arguments))
    return DROP_IN in files, wins


def debian():
    """nova.conf, named on the command line, is read behind nova.conf.d."""
    clear()
    write("/etc/nova/nova.conf", "[libvirt]\ncpu_mode = host-model\n")
    write("/etc/nova/nova-compute.conf", "[libvirt]\nvirt_type = kvm\n")
    start_with(["systemd-start"], "/etc/init.d/nova-compute")
    _, out = node("look", "nova.conf.d")
    files = [line[5:] for line in out.splitlines() if line.startswith("file ")]
    check(files == [DROP_IN, "/etc/nova/nova.conf", "/etc/nova/nova-compute.conf"], out)
    check("version 26.2.2\n" in out and "unit nova-compute.service\n" in out, out)


def secrets():
    clear()
    write("/etc/nova/nova.conf", "[database]\nconnection = mysql://nova:secret@db\n"
          "[libvirt]\nrbd_secret_uuid = secret\ncpu_mode = none\n")
    _, out = node("look", "nova.conf.d")
    check("secret" not in out and "cpu_mode none" in out, out)
    write("/test/environment", "OS_LIBVIRT__CPU_MODE=host-model OS_DATABASE__CONNECTION=secret")
    _, out = node("look", "nova.conf.d")
    check("secret" not in out, out)
    check("option Environment of nova-compute.service libvirt cpu_mode host-model" in out, out)


os.environ["HOME"] = HOME
debian()
secrets()
results = [one(number) for number in range(80)]
check(20 < sum(r[0] for r in results) < 80, "too few layouts read the drop-in")
check(5 < sum(r[1] for r in results) < 60, "the drop-in wins too seldom or too often")
print(f"ok    {len(results)} layouts: the drop-in is read in {sum(r[0] for r in results)}, "
      f"and wins in {sum(r[1] for r in results)}, as nova says")
