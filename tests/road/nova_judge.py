"""How the peer judges a drop-in with the node's own nova."""

import glob
import os
import shutil

from nova_world import DROP_IN, FOLDER, check, clear, node, start_with, write

MAIN = "/etc/nova/nova.conf"
GOOD = sorted(glob.glob("/test/levels/*.nova"))
BEHIND = ["--config-file=" + MAIN, "--config-dir", FOLDER]


def judge(text, state="staged"):
    """The verdict on the text; with "written" the file itself is there."""
    write("/test/drop-in", text)
    if state == "written":
        write(DROP_IN, text)
    status, out = node("judge", "nova.conf.d", "/test/drop-in", state)
    check(status in (0, 1), out)
    check(state == "written" or not os.path.exists(FOLDER), "staging left a trace")
    return out.strip()


def begin(main="[DEFAULT]\n", arguments=()):
    """nova.conf is for nova's eyes only, as on a real node: the judge must be that user."""
    clear()
    write(MAIN, main, 0o640)
    shutil.chown(MAIN, "root", "nova")
    os.chmod("/etc/nova", 0o750)
    shutil.chown("/etc/nova", "root", "nova")
    start_with(list(arguments))


def rejected(text, words, state="staged"):
    out = judge(text, state)
    check(out.startswith("rejected: ") and words in out, repr(out), "lacks", words)


LEVEL = open(GOOD[0], encoding="utf-8").read()
for path in GOOD:
    for is_there in ("staged", "written"):
        begin()
        check(judge(open(path, encoding="utf-8").read(), is_there) == "accepted", path, is_there)
begin("[libvirt]\ncpu_mode = host-passthrough\n")
check(judge(LEVEL) == "accepted", "it is read behind nova.conf")
begin("[libvirt]\ncpu_mode = host-passthrough\n", BEHIND[:1])
rejected(LEVEL, "nova takes [libvirt] cpu_mode = host-passthrough and not custom")
begin(arguments=["--config-file=" + MAIN])
check(judge(LEVEL) == "accepted", "nova.conf says nothing")
begin()
write(FOLDER + "/99-later.conf", "[libvirt]\ncpu_model_extra_flags = pcid\n")
rejected(LEVEL, "cpu_model_extra_flags", "written")

# what nova reads elsewhere is no business of who writes the drop-in
begin("[libvirt]\nrbd_secret_uuid = secret\n")
for word in ("$libvirt.rbd_secret_uuid", "${libvirt.rbd_secret_uuid}", "Nehalem,$libvirt.rbd_secret_uuid", "$x"):
    text = "[libvirt]\ncpu_models = %s\n" % word
    check("secret" not in judge(text), "what is not of the list left the node:", judge(text))
    rejected(text, "refers to another option")

begin()
rejected("[libvirt]\ncpu_mode = fastest\n", "cpu_mode")
rejected("[libvirt]\ncpu_mode\n", "line 2")
rejected("[DEFAULT]\ntransport_url = rabbit://elsewhere\n" + LEVEL, "is not for cpuherd to set")
rejected("[libvirt]\nvirt_type = qemu\nimages_type = rbd\n", "images_type")
rejected("# nothing\n", "it sets nothing")
begin("[libvirt\n")
rejected(LEVEL, "configuration code")
write("/bad/nova-compute", "#!/nowhere/python3\n", 0o755)
start_with([], "/bad/nova-compute")
rejected(LEVEL, "")
print(f"ok    {len(GOOD)} levels are accepted before and after they are written, and 13 others not")
