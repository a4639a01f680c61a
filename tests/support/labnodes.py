"""Python's way to the nodes of tests/lab, for tests that ask their libvirt and QEMU.

A test's main() is `return labnodes.with_lab('NAME', virt, cpus, test)`: test(lab) gets
nodes that are up, named after their CPUs, and returns how many of its checks failed.
CPU@SUITE instead of a CPU is a node of another suite, named CPU-SUITE.
CPUHERD and CPUHERD_LAB_BIN name the programs to use.
"""
import functools
import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
CPUHERD = os.environ.get('CPUHERD', HERE + '/../../build/dev/coordinator/cpuherd')
LAB = HERE + '/../lab/lab'
CPU_MAP = '/usr/share/libvirt/cpu_map/x86_features.xml'
SKIP = 77
# The last words of a lab when it is the machine, not the lab, that cannot.
NOT_HERE = re.compile('are not possible here|is missing|/dev/kvm cannot be opened')


class CannotRun(Exception):
    pass


def run(command, input=b''):
    if isinstance(input, str):
        input = input.encode()
    done = subprocess.run(command, capture_output=True, input=input)
    if done.returncode != 0:
        raise CannotRun('%s: %s' % (' '.join(command), done.stderr.decode().strip()))
    return done.stdout.decode()


def cpuherd(verb, *arguments, **options):
    return run([CPUHERD, verb, *arguments], **options)


def level_from(folder, facts, virt, *options):
    """`level` of cpuherd's JSON for nodes with these facts, kept in a new folder."""
    os.mkdir(folder)
    for i, text in enumerate(facts):
        with open('%s/node%02d.facts' % (folder, i), 'w') as f:
            f.write(text)
    return json.loads(cpuherd('plan', '--json', '--virt-type', virt, '--from', folder,
                              *options))['level']


def cpus():
    """Those that the lab has."""
    return run([LAB, 'cpus']).split()


def node(member):
    """The name of the node of a CPU or CPU@SUITE."""
    return member.replace('@', '-')


def place(member):
    """What `lab up` is told of it."""
    cpu, at, suite = member.partition('@')
    return '%s%s%s=%s' % (node(member), at, suite, cpu)


def packed(files):
    """A tar of {name: text}"""
    sent = io.BytesIO()
    with tarfile.open(fileobj=sent, mode='w') as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return sent.getvalue()


class Lab:
    """The lab in the folder, where it is up or will be."""

    def __init__(self, folder, virt, cpus=()):
        self.folder, self.virt, self.cpus = folder, virt, sorted(cpus)

    def call(self, *arguments, **options):
        return run([LAB, '--dir', self.folder, *arguments], **options)

    def up(self):
        self.call('up', '--virt', self.virt, *map(place, self.cpus))

    @functools.cached_property
    def hosts(self):
        """{node: what cpuherd calls it}"""
        return dict(zip(self.read('nodes.list').split(), self.read('hosts').split()))

    @functools.cached_property
    def uri(self):
        return ('qemu:///session' if self.read('kind').strip() == 'unprivileged'
                else 'qemu:///system')

    def read(self, name):
        with open(os.path.join(self.folder, name)) as f:
            return f.read()

    def root(self, node):
        """Where the programs of the node are: '' for the machine's own."""
        path = os.path.join('nodes', node, 'root')
        return self.read(path).strip() if os.path.exists(
            os.path.join(self.folder, path)) else ''

    def virsh(self, node, command, **options):
        return self.call('ssh', node, 'virsh -q -c %s %s' % (self.uri, command), **options)

    def ask(self, node, commands, files={}):
        """What one virsh on the node answers to each command, with the files beside it."""
        script = ''.join('echo @@%d@@\n%s\n' % (i, c) for i, c in enumerate(commands))
        out = self.call('ssh', node, 'mkdir -p asked && cd asked && tar x && '
                        'virsh -q -c %s <commands 2>&1' % self.uri,
                        input=packed(dict(files, commands=script)))
        # virsh may say each command again before it obeys: its own words come last
        parts = re.split('@@([0-9]+)@@\n?', out)
        answers = {int(i): re.sub('^virsh # .*\n?', '', text, flags=re.M)
                   for i, text in zip(parts[1::2], parts[2::2])}
        if len(answers) != len(commands):
            raise RuntimeError('%s: virsh answered %d of %d commands: %s' % (
                node, len(answers), len(commands), out[-300:]))
        return [answers[i] for i in range(len(commands))]

    def cpuherd(self, members, verb, *arguments):
        """What cpuherd prints that goes to the members over the network."""
        return run([LAB, 'run', self.folder, '--', CPUHERD, verb, *arguments,
                    '--connect', self.uri, '--hosts', '-',
                    '--no-agent', '--identity', self.folder + '/id_ed25519',
                    '-F', 'none', '--known-hosts', self.folder + '/known_hosts'],
                   input='\n'.join(self.hosts[m] for m in members))

    def facts(self):
        """{node: the facts that cpuherd gathers there, as it saves them}"""
        with tempfile.TemporaryDirectory() as folder:
            self.cpuherd(self.cpus, 'probe', '--save', folder)
            found = {}
            for node in self.cpus:
                name = self.hosts[node].split('@')[-1].replace(':', '-')
                with open('%s/%s.facts' % (folder, name)) as f:
                    found[node] = f.read()
            return found

    def level(self, members):
        """What cpuherd would have them agree on: `level` of its JSON."""
        answer = self.cpuherd(members, 'plan', '--json', '--virt-type', self.virt)
        return json.loads(answer)['level']


def required(xml):
    """The features that a <cpu> of libvirt requires."""
    return {f.get('name') for f in ET.fromstring(xml).iter('feature')
            if f.get('policy') == 'require'}


def tell(what, wrong):
    """Prints how it went; whether anything was wrong."""
    wrong = list(wrong)
    print('%s  %s' % ('FAIL' if wrong else 'ok  ', what), flush=True)
    for line in wrong:
        print('    ' + line)
    return bool(wrong)


def with_lab(name, virt, cpus, test):
    """The exit status of a test whose nodes live as long as it."""
    with tempfile.TemporaryDirectory(prefix=name + '.', dir='/tmp') as folder:
        os.chmod(folder, 0o755)
        lab = Lab(folder + '/lab', virt, cpus)
        try:
            lab.up()
            return 1 if test(lab) else 0
        except CannotRun as reason:
            if not NOT_HERE.search(str(reason).splitlines()[-1]):
                raise
            print('%s: skipped: %s' % (name, str(reason).splitlines()[-1]))
            return SKIP
        finally:
            lab.call('down')
