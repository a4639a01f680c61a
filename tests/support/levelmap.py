"""A level as a model in the cpu_map of a lab's nodes, for the tests of the target cpu-map."""
import subprocess

import guests
import labnodes

MAP = '/usr/share/libvirt/cpu_map'
NAME = 'herd'
INCLUDE = "    <include filename='cpuherd_%s.xml'/>\n" % NAME
CPU = "<cpu mode='custom' match='exact'>%%s<model fallback='%%s'>%s</model></cpu>" % NAME


class Road:
    def __init__(self, lab):
        self.lab, self.nodes = lab, sorted(lab.hosts)
        self.status, self.out = None, ''

    def herd(self, *arguments, nodes=None):
        """cpuherd, to all nodes or these: its status and all it says are kept."""
        lab = self.lab
        done = subprocess.run(
            [labnodes.LAB, 'run', lab.folder, '--', labnodes.CPUHERD, *arguments,
             '--hosts', '-', '--no-agent', '--identity', lab.folder + '/id_ed25519',
             '--virt-type', lab.virt, '-F', 'none',
             '--known-hosts', lab.folder + '/known_hosts'],
            cwd=lab.folder, capture_output=True, text=True,  # there its lock is
            input='\n'.join(lab.hosts[n] for n in nodes or self.nodes))
        self.status, self.out = done.returncode, done.stdout + done.stderr
        return self.status

    def push(self, *arguments, **options):
        return self.herd('negotiate', '--target', 'cpu-map', '--level-name', NAME,
                         *arguments, **options)

    def enter(self, node, script):
        return self.lab.call('enter', node, 'bash', '-euc', script)

    def index(self, node):
        return self.enter(node, 'cat %s/index.xml' % MAP)

    def state(self, node):
        """Content, owner, mode and inode of all files of the map."""
        return self.enter(node, 'cd %s; sha256sum *; stat -c "%%n %%U %%a %%i %%y" *; '
                          'ls -A' % MAP)

    def states(self):
        return {node: self.state(node) for node in self.nodes}

    def restart(self, node):
        self.lab.call('restart-libvirt', node)

    def refusal(self, node, cpu):
        """libvirt's words when it will not start such a guest."""
        try:
            guests.show(self.lab, node, [cpu])
        except RuntimeError as words:
            return str(words)
        return ''

    def wants(self, status, *words):
        """What is wrong with how cpuherd ended, a line each."""
        if self.status != status:
            yield 'exit status %s, wanted %s: %s' % (self.status, status, self.out[-900:])
        for word in words:
            if word not in self.out:
                yield 'it does not say %r: %s' % (word, self.out[-900:])


def model_text(level):
    features = ''.join("    <feature name='%s'/>\n" % f for f in level['features'])
    return ("<cpus>\n  <model name='%s'>\n    <decode host='off' guest='off'/>\n"
            "    <vendor name='%s'/>\n%s  </model>\n</cpus>\n" % (
                NAME, level['vendor'], features))


def put_by_hand(road, node, level):
    """What cpuherd would have written."""
    road.enter(node, "cat >%s/cpuherd_%s.xml <<'END'\n%sEND" % (
        MAP, NAME, model_text(level)))
    road.enter(node, "cd %s; sed -i \"0,\\|  </arch>|s||%s  </arch>|\" index.xml" % (
        MAP, INCLUDE.replace('\n', '\\n')))
    road.restart(node)
