"""The CPU that nova's libvirt driver gives a guest, against the level that cpuherd agreed on.

    nova_guest.py [URI LEVEL.xml ARGUMENT...]

Without arguments: the levels of recorded nodes, and libvirt's test driver.  With them: a node's
own libvirt, its own files, and nova-compute's arguments.
"""

import glob
import sys
import xml.etree.ElementTree as ET

import libvirt
from nova import conf as nova_conf
from nova.virt.libvirt import driver, host

CONF = nova_conf.CONF


def guest_cpu(uri):
    """nova's own code; only the connection is made here and not by its threads."""
    connection = libvirt.openReadOnly(uri)
    real = host.Host(uri)
    real.get_connection = lambda: connection
    compute = driver.LibvirtDriver.__new__(driver.LibvirtDriver)
    compute._host = real
    compute.cpu_models_mapping, compute.cpu_model_flag_mapping = {}, {}
    compute._check_cpu_compatibility()
    return compute._get_guest_cpu_model_config(None, "x86_64").to_xml()


def meaning(text):
    cpu = ET.fromstring(text)
    model = cpu.find("model")
    fallback = model.get("fallback")
    return {
        "mode": cpu.get("mode"),
        "match": cpu.get("match"),
        "model": model.text,
        "features": sorted((f.get("name"), f.get("policy")) for f in cpu.iter("feature")),
    }, fallback


def compare(level, uri):
    with open(level, encoding="utf-8") as file:
        wanted, _ = meaning(file.read())
    made, _ = meaning(guest_cpu(uri))
    if made != wanted:
        raise SystemExit(f"FAIL  {level}: the level is {wanted}, nova makes {made}")
    return len(made["features"])


def read(arguments):
    CONF(arguments, project="nova", prog="nova-compute")


if len(sys.argv) > 1:
    read(sys.argv[3:])
    print(f"ok    nova's guest is the level: {compare(sys.argv[2], sys.argv[1])} features")
else:
    for path in sorted(glob.glob("/test/levels/*.nova")):
        read(["--config-file", path])
        level = path[: -len(".nova")]
        print(f"ok    {level.split('/')[-1]}: nova's guest is the level, "
              f"{compare(level + '.libvirt', 'test:///default')} features")
