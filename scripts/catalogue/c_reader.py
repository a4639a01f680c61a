"""The catalogue as it is checked in: read back from the C, source by source."""
import re

from catalogue.c_writer import identifier

ONE_LIST = r'(NONE|SHARED\(\w+\)|LIST\([^)]*\))'


class Recorded:
    """What the file says, by the name of the source: read back from the C."""

    def __init__(self, text):
        self.arrays = dict(re.findall(r'^static const uint16_t (\w+)\[\] = \{(.*?)\};',
                                      text, re.M | re.S))
        self.sources = re.findall(r'^\t\{ "([^"]+)", (?:true|false), VIRT_\w+, \d+ \},$',
                                  text, re.M)
        rows = re.findall(r'^\t\{ "([^"]+)", (?:NULL|"([^"]+)"), [^(\n]*\([^)\n]*\), \w+, '
                          r'(0x\w+) \},$', text, re.M)
        self.features = {name: {'aliases': [qemu], 'mask': int(mask, 16)}
                         for name, qemu, mask in rows}
        self.name_of = {identifier(name): name for name in self.features}
        self.grounds = [(self.name_of[row], int(mask, 16), self.read_list(names))
                        for row, mask, names in re.findall(
                            r'^\t\{ (F_\w+), (0x\w+), %s \},$' % ONE_LIST, text, re.M)]
        self.models = {}
        for row in re.findall(r'^\t\{ "[^"]+", [^\n]*decode_guest.*?\},$(?=\n\t\{ "|\n\};)',
                              text, re.M | re.S):
            self.read_model(row)

    def read_list(self, text):
        array = re.match(r'SHARED\((\w+)\)', text)
        return {self.name_of[w] for w in re.findall(
            r'F_\w+', self.arrays[array.group(1)] if array else text)}

    def read_model(self, text):
        name, mask, compared = re.match(r'\t\{ "([^"]+)", [^,]+, (0x\w+), (0x\w+),',
                                        text).groups()
        base = re.search(r'\.features = %s' % ONE_LIST, text).group(1)
        rows = re.findall(r'\{ (0x\w+), %s,\s+%s,\s+%s \}' % ((ONE_LIST,) * 3), text)
        self.models[name] = (int(mask, 16), int(compared, 16), self.read_list(base), [
            (int(mask, 16), self.read_list(adds) | self.read_list(controls),
             self.read_list(lacks)) for mask, adds, lacks, controls in rows])

    def names(self, bit):
        return {n for n, f in self.features.items() if f['mask'] >> bit & 1}

    def compared(self, bit):
        return {n for n, row in self.models.items() if row[1] >> bit & 1}

    def definitions(self, bit):
        return {n: next((base - lacks | adds for mask, adds, lacks in rows
                         if mask >> bit & 1), base)
                for n, (sources, _, base, rows) in self.models.items() if sources >> bit & 1}

    def dependents(self, bit):
        lost = {}
        for row, mask, names in self.grounds:
            if mask >> bit & 1:
                lost.setdefault(row, set()).update(names)
        return lost


def differences(what, recorded, said):
    """Lines on two dictionaries of sets, or on two sets."""
    if isinstance(said, set):
        recorded, said = {what: recorded}, {what: said}
    for key in sorted(recorded.keys() | said.keys()):
        old, new = recorded.get(key), said.get(key)
        if old != new:
            lost, come = (old or set()) - (new or set()), (new or set()) - (old or set())
            yield '%s: %s: %s' % (what, key, ' '.join(
                sorted('-' + n for n in lost) + sorted('+' + n for n in come)) or 'all of it')


def map_differences(recorded, m):
    bit = recorded.sources.index(m.name)
    yield from differences(m.name + ' names', recorded.names(bit), set(m.features))
    yield from differences(m.name, recorded.definitions(bit),
                           {n: row['features'] for n, row in m.models.items()})
    yield from differences(m.name + ' compares', recorded.compared(bit),
                           {n for n, row in m.models.items() if row['compat']})


def qemu_differences(recorded, q):
    for virt in ('KVM', 'TCG'):
        bit = recorded.sources.index('%s with %s' % (q.name, virt))
        yield from differences(q.name + ' names', recorded.names(bit), set(q.spelling))
        yield from differences('%s with %s' % (q.name, virt), recorded.definitions(bit),
                               {n: row[virt] for n, row in q.models.items()})
        yield from differences(q.name + ' grounds', recorded.dependents(bit), q.grounds)
