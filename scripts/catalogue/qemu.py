"""What a QEMU means by the models, asked over QMP."""
import json
import os
import re
import subprocess

# Properties that QEMU sets on every named model whatever its table says, by accelerator.
# Source: QEMU target/i386/kvm/kvm-cpu.c kvm_default_props[]; confirmed against a real
# KVM by verify_kvm() below whenever /dev/kvm can be opened.
KVM_DEFAULTS = {'x2apic': True, 'acpi': False, 'monitor': False, 'svm': False}
# Source: target/i386/tcg/tcg-cpu.c tcg_default_props[]: {"vme", "off"}.  It hides what
# the table says of vme; these are the models whose table lacks it (builtin_x86_defs[],
# seen under KVM with QEMU 7.2, 10.0 and 11.1).
MODELS_WITHOUT_VME = {'qemu64', 'qemu32', 'qemu64-v1', 'qemu32-v1'}

# Off in most models, and with them all that a model's table says of their company
# (target/i386/cpu.c feature_dependencies[]): QEMU is asked with them on, so that the
# definition has that too.
GROUNDS_TO_SHOW = ('svm', 'vmx')

# QEMU takes both; this is the one that its own table has first.
# Source: libvirt src/qemu/qemu_capabilities.c virQEMUCapsCPUFeaturesX86[].
QEMU_SPELLING = {'pclmuldq': 'pclmulqdq'}


class Qemu:
    def __init__(self, root, accelerator, machine='none'):
        self.process = subprocess.Popen(
            root.qemu() + ['-machine', '%s,accel=%s' % (machine, accelerator),
                           '-nodefaults', '-display', 'none', '-S', '-qmp', 'stdio'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=root.environment(), text=True)
        greeting = json.loads(self.process.stdout.readline())
        v = greeting['QMP']['version']['qemu']
        self.version = '%d.%d' % (v['major'], v['minor'])
        self.ask('qmp_capabilities')

    def ask(self, command, **arguments):
        request = {'execute': command}
        if arguments:
            request['arguments'] = arguments
        self.process.stdin.write(json.dumps(request) + '\n')
        self.process.stdin.flush()
        while True:
            reply = json.loads(self.process.stdout.readline())
            if 'return' in reply or 'error' in reply:
                return reply

    def models(self):
        return {m['name'] for m in self.ask('query-cpu-definitions')['return']}

    def machines(self):
        return sorted(m['name'] for m in self.ask('query-machines')['return']
                      if re.match(r'pc-(i440fx|q35)-[\d.]+$', m['name']))

    def properties(self, model, settings):
        reply = self.ask('query-cpu-model-expansion', type='full',
                         model={'name': model, 'props': settings})
        if 'error' in reply:
            raise SystemExit('gen-catalogue: QEMU on %s: %s' % (model, reply['error']))
        return reply['return']['model']['props']

    def close(self):
        self.process.stdin.write('{"execute":"quit"}\n')
        self.process.stdin.flush()
        self.process.wait(timeout=10)
        self.process.stdin.close()
        self.process.stdout.close()


def qemu_spelling(name, feature, properties):
    """QEMU's property for a feature: dashes are its canonical form; None: no property."""
    first = QEMU_SPELLING.get(name, name.replace('_', '-'))
    for spelling in [first, name] + feature['aliases']:
        if spelling in properties:
            return spelling
    return None


class Answers:
    """What one QEMU says of all models, in libvirt's names of features."""

    def __init__(self, root, features, models):
        self.root, self.features = root, features
        qemu = Qemu(root, 'tcg')
        self.version, self.name = qemu.version, 'QEMU ' + qemu.version
        self.spelling = self.spell(qemu.properties('base', {}))
        known = qemu.models()
        self.models = {m: self.define(qemu, m) for m in models if m in known}
        self.grounds = self.find_grounds(qemu)
        qemu.close()

    def spell(self, properties):
        spelled = {n: qemu_spelling(n, f, properties) for n, f in self.features.items()}
        return {n: s for n, s in spelled.items() if s}

    def on(self, properties):
        return {n for n, s in self.spelling.items() if properties[s] is True}

    def define(self, qemu, model):
        """By accelerator: the model's features, and those that hide behind a ground."""
        settings = dict(KVM_DEFAULTS, vme=model not in MODELS_WITHOUT_VME)
        kvm = self.on(qemu.properties(model, settings))
        settings.update(dict.fromkeys(GROUNDS_TO_SHOW, True))
        hidden = self.on(qemu.properties(model, settings)) - kvm - set(GROUNDS_TO_SHOW)
        return {'KVM': kvm | hidden,
                'TCG': self.on(qemu.properties(model, {})) | hidden}

    def find_grounds(self, qemu):
        """{feature: what QEMU switches off, even if asked for, where it is off}."""
        settings = dict.fromkeys(self.spelling.values(), True)
        settings['pmu'] = True
        everything, grounds = self.on(qemu.properties('base', settings)), {}
        for name, spelling in self.spelling.items():
            left = self.on(qemu.properties('base', dict(settings, **{spelling: False})))
            lost = everything - left - {name}
            if lost:
                grounds[name] = lost
        return grounds

    def verify_kvm(self):
        """Holds KVM_DEFAULTS against a real KVM, where there is one."""
        if not os.access('/dev/kvm', os.R_OK | os.W_OK):
            return
        try:
            qemu = Qemu(self.root, 'kvm')
        except (OSError, ValueError):
            return
        for model, by_virt in self.models.items():
            shown = dict.fromkeys(GROUNDS_TO_SHOW, True)
            real = self.on(qemu.properties(model, {}))
            real |= self.on(qemu.properties(model, shown)) - set(GROUNDS_TO_SHOW)
            if real != by_virt['KVM']:
                raise SystemExit('gen-catalogue: %s: %s under KVM differs from '
                                 'KVM_DEFAULTS and MODELS_WITHOUT_VME in: %s'
                                 % (self.name, model,
                                    ' '.join(sorted(real ^ by_virt['KVM']))))
        qemu.close()

    def machine_differences(self):
        """{machine type: features whose part in some model it changes}."""
        none = Qemu(self.root, 'tcg')
        machines, found = none.machines(), {}
        for machine in machines:
            qemu = Qemu(self.root, 'tcg', machine)
            found[machine] = set()
            for model in self.models:
                here = self.on(qemu.properties(model, {}))
                found[machine] |= here ^ self.on(none.properties(model, {}))
            qemu.close()
        none.close()
        return found
