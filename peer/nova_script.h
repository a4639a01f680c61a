/* nova_script.h - what the node's own Python is told, to ask the node's own nova.
 *
 *	python -c SCRIPT PATH staged|written OPTIONS [--config-file=... --config-dir=...]
 *
 * PATH is the drop-in; with "staged" its text is on standard input, and to oslo.config
 * the file is there as if it had been written: whatever else it opens is real.  OPTIONS
 * are "libvirt.cpu_mode,...".  nova reads all as nova-compute does, and the drop-in
 * alone: every option must be known to it and come out the same.  Prints "ok", or what
 * is not so.  For Python 2.7 and 3: nova had the former until Train.
 */
#ifndef PEER_NOVA_SCRIPT_H
#define PEER_NOVA_SCRIPT_H

#define NOVA_SCRIPT \
	"from __future__ import print_function\n" \
	"import glob, io, os, sys\n" \
	"path, state, names, args = sys.argv[1], sys.argv[2], sys.argv[3], " \
	"sys.argv[4:]\n" \
	"from oslo_config import cfg\n" \
	"import nova.conf\n" \
	"if state == 'staged':\n" \
	"    text, folder = sys.stdin.read(), os.path.dirname(path)\n" \
	"    exists, find, real = os.path.exists, glob.glob, open\n" \
	"    os.path.exists = lambda p: p in (path, folder) or exists(p)\n" \
	"    def found(pattern, *a, **k):\n" \
	"        all = find(pattern, *a, **k)\n" \
	"        ours = pattern == os.path.join(folder, '*.conf') and path not in all\n" \
	"        return all + [path] if ours else all\n" \
	"    glob.glob = found\n" \
	"    class File(io.StringIO if sys.version_info[0] > 2 else io.BytesIO):\n" \
	"        pass\n" \
	"    cfg.open = lambda p, *a, **k: File(text) if p == path else real(p, *a, " \
	"**k)\n" \
	"whole, alone = nova.conf.CONF, cfg.ConfigOpts()\n" \
	"nova.conf.libvirt.register_opts(alone)\n" \
	"nova.conf.workarounds.register_opts(alone)\n" \
	"whole(args, project='nova', prog='nova-compute')\n" \
	"alone(['--config-file', path], project='nova', prog='x', " \
	"default_config_dirs=[])\n" \
	"def option(group, name):\n" \
	"    for row in alone._groups[group]._opts.values():\n" \
	"        opt = row['opt']\n" \
	"        if opt.dest == name or name in [d.name for d in " \
	"opt.deprecated_opts]:\n" \
	"            return opt.dest\n" \
	"    sys.exit('this nova has no option [%s] %s' % (group, name))\n" \
	"for name in names.split(','):\n" \
	"    group, name = name.split('.')\n" \
	"    dest = option(group, name)\n" \
	"    is_, wanted = [getattr(c[group], dest) for c in (whole, alone)]\n" \
	"    if is_ != wanted:\n" \
	"        sys.exit('nova takes [%s] %s = %s and not %s: something else that it " \
	"reads '\n" \
	"            'wins' % (group, name, is_, wanted))\n" \
	"print('ok')\n"

#endif
