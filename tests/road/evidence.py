#!/usr/bin/env python3
"""Is a file of --evidence what a CI job would archive (docs/evidence.md)?

usage: evidence.py prove|rehearse FILE NODE...
"""
import json
import sys


def judge_sample(sample, runs):
    """The registers, properties and leaves that all guests have, at least."""
    words = {(w['function'], w['index'], w['register']) for w in sample['words']}
    for function, register in ('0x00000001', 'ecx'), ('0x00000007', 'ebx'), ('0x80000001', 'edx'):
        if (function, 0, register) not in words:
            yield 'there is no %s %s' % (function, register)
    if 'phys-bits' not in {p['name'] for p in sample['properties']}:
        yield 'there is no phys-bits'
    functions = {leaf['function'] for leaf in sample['leaves']}
    if runs and not {'0x00000000', '0x00000001', '0x80000001'} <= functions:
        yield 'the guest read no more than %s' % sorted(functions)


def guests_of(evidence):
    """The nodes on which guests were started, with what these showed."""
    for trial in evidence['trials']:
        if evidence['samples'][trial['sample']]:
            yield from trial['nodes']
    for way in evidence['migrations']:
        if evidence['samples'][way['before']]:
            yield way['source']


def judge(verb, found, nodes):
    """What is wrong with it, a line each."""
    evidence = found['evidence']
    if (found['verb'], found['exit_status']) != (verb, 0):
        yield 'it is of %s with status %s' % (found['verb'], found['exit_status'])
    if not evidence['began'] <= evidence['ended']:
        yield 'it began at %s and ended at %s' % (evidence['began'], evidence['ended'])
    for sample in evidence['samples']:
        yield from judge_sample(sample, verb == 'rehearse')
    for way in evidence['migrations']:
        if way['before'] != way['after']:
            yield 'a guest that changed: %r' % way
    tried = sorted(n.rpartition('@')[2] for n in guests_of(evidence))
    if tried != sorted(nodes):
        yield 'trials of %s' % tried
    for m in found['migrations'] or []:
        if not m['ok'] or m['migrated']['ms'] <= 0 or m['source'] == m['target']:
            yield 'a migration: %r' % m
    if len(found['migrations'] or []) != (len(nodes) if verb == 'rehearse' else 0):
        yield '%d migrations' % len(found['migrations'] or [])


def main(verb, path, *nodes):
    with open(path) as f:
        wrong = list(judge(verb, json.load(f), nodes))
    print('\n'.join(wrong))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
