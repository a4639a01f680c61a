#!/usr/bin/env python3
"""Paused guests on a lab's nodes: what libvirt and QEMU say of their CPU.

usage, for tests in shell: guests.py LAB VIRT NODE <CPU.XML
       A line for each line of the live <cpu>, for each property of QEMU's CPU and for
       each bit of CPUID that the guest sees.
"""
import json
import sys
import xml.etree.ElementTree as ET
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import labnodes

# libvirt's live <cpu>, {property of QEMU's CPU: value}, {register of CPUID: bits that the
# guest sees, bits that QEMU took away}.
Guest = namedtuple('Guest', 'live properties words filtered')

DOMAIN = '''<domain type='%s'><name>%s</name><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='%s'>hvm</type></os><features><acpi/><apic/></features>
%s<devices><memballoon model='none'/></devices></domain>'''

CPU = '/machine/unattached/device[0]'

# Properties of QEMU's CPU that cannot be asked for.
UNREADABLE = ['legacy-memory', 'crash-information']

# Leaf 0x40000001 is KVM's own (docs/truth.md, Limits).
KVM_LEAF = 0x40000001


def show(lab, node, cpus, machine='pc'):
    """The Guests with these <cpu>s on the node, by two sessions of virsh."""
    names = ['guest%d' % i for i in range(len(cpus))]
    started = ask(
        lab, node, [command for name in names for command in (
            'create --paused %s.xml' % name, 'dumpxml %s --xpath /domain/cpu' % name,
            monitor(name, 'qom-list'))],
        {name + '.xml': DOMAIN % (lab.virt, name, machine, cpu)
         for name, cpu in zip(names, cpus)})
    lives, properties = started[1::3], [readable(answer) for answer in started[2::3]]
    told = iter(ask(
        lab, node, [monitor(name, 'qom-get', property=p)
               for name, listed in zip(names, properties) for p in listed] +
        ['destroy ' + name for name in names]))
    return [guest(live, {p: returned(next(told)) for p in listed})
            for live, listed in zip(lives, properties)]


def ask(lab, node, *question):
    answers = lab.ask(node, *question)
    for answer in answers:
        if answer.startswith('error:'):
            raise RuntimeError('%s: %s' % (node, answer.strip()))
    return answers


def show_each(lab, cpus, machine='pc'):
    """{node: its Guests}, of {node: <cpu>s}"""
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(cpus, pool.map(lambda n: show(lab, n, cpus[n], machine), cpus)))


def monitor(name, command, **arguments):
    return "qemu-monitor-command %s '%s'" % (name, json.dumps(
        {'execute': command, 'arguments': dict(arguments, path=CPU)}))


def returned(answer):
    return json.loads(answer)['return']


def readable(listed):
    return [p['name'] for p in returned(listed)
            if not p['type'].startswith(('link<', 'child<')) and p['name'] not in UNREADABLE]


def guest(live, properties):
    return Guest(live, properties, words(properties.pop('feature-words')),
                 words(properties.pop('filtered-features')))


def words(listed):
    """{register of CPUID: its bits that have names}; a register that is not listed is 0."""
    return {(w['cpuid-input-eax'], w.get('cpuid-input-ecx', 0), w['cpuid-register']):
            w['features'] for w in listed
            if w['features'] and w['cpuid-input-eax'] != KVM_LEAF}


def spellings(lab, node):
    """{name of a feature that the node's libvirt knows: QEMU's names for it}."""
    return {f.get('name'): [f.get('name').replace('_', '-'), f.get('name')] +
            [alias.get('name') for alias in f.findall("alias[@source='qemu']")]
            for f in ET.parse(lab.root(node) + labnodes.CPU_MAP).iter('feature')}


def given(names, properties):
    """libvirt's names of the features that QEMU's CPU has."""
    return {feature for feature, qemu in names.items()
            if any(properties.get(q) is True for q in qemu)}


def stated(cpu, policy):
    return {f.get('name') for f in ET.fromstring(cpu).iter('feature')
            if f.get('policy') == policy}


def judge(level, guest, names):
    """What is untrue of the level in this guest, a line each."""
    promised = set(level['features'])
    if guest.filtered or guest.properties['unavailable-features']:
        yield 'QEMU denies %s' % (guest.properties['unavailable-features'] or guest.filtered)
    if level['maxphysaddr'] not in (None, guest.properties['phys-bits']):
        yield 'maxphysaddr is %s, the guest has %s bits' % (
            level['maxphysaddr'], guest.properties['phys-bits'])
    shown = given(names, guest.properties)
    if shown != promised:
        yield 'QEMU shows %s, lacks %s' % (sorted(shown - promised), sorted(promised - shown))
    for policy in 'require', 'disable':
        ours, live = stated(level['xml'], policy), stated(guest.live, policy)
        if live != ours:
            yield 'the live XML has %s %s, lacks %s' % (
                policy, sorted(live - ours), sorted(ours - live))


def bits(words):
    return ['0x%08x %d %s %d' % (*register, bit) for register, word in sorted(words.items())
            for bit in range(32) if word >> bit & 1]


def main(folder, virt, node):
    seen, = show(labnodes.Lab(folder, virt), node, [sys.stdin.read()])
    print(seen.live.strip())
    for name, value in sorted(seen.properties.items()):
        print(name, json.dumps(value))
    print('filtered-features', bits(seen.filtered))
    print('\n'.join(bits(seen.words)))


if __name__ == '__main__':
    main(*sys.argv[1:])
