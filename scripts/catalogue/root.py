"""Root file systems whose programs are asked."""
import os


class Skip(Exception):
    pass


class Root:
    """A root file system whose programs are run where they are, by its own loader."""

    def __init__(self, path):
        self.path = path.rstrip('/')

    def inside(self, path):
        return self.path + path

    def command(self, program):
        if not os.path.exists(self.inside('/usr/bin/' + program)):
            raise Skip('%s is not in %s (scripts/get-root fetches other suites)'
                       % (program, self.path or '/'))
        if not self.path:
            return [program]
        libraries = self.inside('/usr/lib/x86_64-linux-gnu')
        folders = [libraries] + [libraries + '/' + d for d in ('pulseaudio', 'blas', 'lapack')]
        return [self.inside('/lib64/ld-linux-x86-64.so.2'), '--library-path',
                ':'.join(folders), self.inside('/usr/bin/' + program)]

    def qemu(self):
        command = self.command('qemu-system-x86_64')
        return command + ['-L', self.inside('/usr/share/qemu'),
                          '-L', self.inside('/usr/share/seabios')]

    def environment(self):
        modules = self.inside('/usr/lib/x86_64-linux-gnu/qemu')
        return dict(os.environ, QEMU_MODULE_DIR=modules) if self.path else None
