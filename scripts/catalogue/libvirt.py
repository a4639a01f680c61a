"""libvirt's cpu_map: index.xml and what that includes."""
import os
import subprocess
import xml.etree.ElementTree as ET


class Map:
    def __init__(self, root):
        folder = root.inside('/usr/share/libvirt/cpu_map')
        virsh = root.command('virsh')
        version = subprocess.run(virsh + ['--version'], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.strip()
        self.name, self.version = 'libvirt ' + version, version
        self.vendors, self.features, self.models = {}, {}, {}
        index = ET.parse(os.path.join(folder, 'index.xml')).getroot()
        for arch in index.findall("arch[@name='x86']"):
            for include in arch.iter('include'):
                for e in ET.parse(os.path.join(folder, include.get('filename'))).getroot():
                    getattr(self, 'add_' + e.tag)(e)
        if not any(m['compat'] for m in self.models.values()):
            for m in self.models.values():  # a map that is older than <check>
                m['compat'] = True

    def add_vendor(self, e):
        self.vendors[e.get('name')] = e.get('string')

    def add_feature(self, e):
        registers = [c for c in e if c.tag in ('cpuid', 'msr')]
        values = [(r, int(c.get(r), 0)) for c in registers
                  for r in ('eax', 'ebx', 'ecx', 'edx') if int(c.get(r, '0'), 0)]
        if len(registers) != 1 or len(values) != 1:
            raise SystemExit('gen-catalogue: feature %s has more than one register: '
                             'struct feature_row cannot hold it' % e.get('name'))
        c, (register, mask) = registers[0], values[0]
        msr = c.tag == 'msr'
        self.features[e.get('name')] = {
            'msr': msr, 'leaf': int(c.get('index' if msr else 'eax_in'), 0),
            'subleaf': int(c.get('ecx_in', '0'), 0), 'register': register,
            'mask': mask << 32 if msr and register == 'edx' else mask,
            'migratable': e.get('migratable') != 'no',
            'aliases': [a.get('name') for a in e.findall("alias[@source='qemu']")],
        }

    def add_model(self, e):
        m = {'vendor': None, 'features': set(), 'removed': set(), 'guest': True,
             'compat': False}
        for c in e:
            if c.tag == 'model':
                ancestor = self.models[c.get('name')]
                m['vendor'] = ancestor['vendor']
                m['features'] |= ancestor['features']
                m['removed'] |= ancestor['removed']
        for c in e:
            if c.tag == 'decode':
                m['guest'] = c.get('guest') == 'on'
            elif c.tag == 'check':
                m['compat'] = c.get('partial') == 'compat'
            elif c.tag == 'vendor':
                m['vendor'] = c.get('name')
            elif c.tag == 'feature' and c.get('added') != 'yes':
                # removed='yes': once part of the model; libvirt switches it off since.
                # added='yes': QEMU always had it, libvirt's model never will; libvirt
                # does not mind it (src/cpu/cpu_x86.c x86ModelParseFeatures).
                gone = c.get('removed') == 'yes'
                m['removed' if gone else 'features'].add(c.get('name'))
                m['features' if gone else 'removed'].discard(c.get('name'))
        self.models[e.get('name')] = m
