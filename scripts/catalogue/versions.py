"""All versions of the programs together."""
from catalogue.libvirt import Map
from catalogue.qemu import Answers


def number(version):
    """libvirt's way of counting: 9.0.0 is 9000000."""
    major, minor, release = (version.split('.') + ['0'])[:3]
    return int(major) * 1000000 + int(minor) * 1000 + int(release)


def merge_orders(maps):
    """The newest map's order; what only older ones have comes after its predecessor
    there."""
    order = list(maps[-1].models)
    for older in reversed(maps[:-1]):
        previous = None
        for model in older.models:
            if model not in order:
                order.insert(order.index(previous) + 1 if previous else 0, model)
            previous = model
    return order


class Catalogue:
    def __init__(self, roots):
        self.maps = sorted((Map(r) for r in roots), key=lambda m: number(m.version))
        self.features, self.vendors = {}, {}
        for m in self.maps:  # a later map's word on a register counts
            self.features.update(m.features)
            self.vendors.update(m.vendors)
        self.order = merge_orders(self.maps)
        answers = (Answers(r, self.features, self.order) for r in roots)
        self.qemus = sorted(answers, key=lambda a: number(a.version))
        # (name, identifier, virt type, version, {model: features})
        self.sources = [
            (m.name, 'VIRT_COUNT', number(m.version),
             {n: row['features'] for n, row in m.models.items()}) for m in self.maps]
        for q in self.qemus:
            for virt, enum in (('KVM', 'VIRT_KVM'), ('TCG', 'VIRT_QEMU')):
                self.sources.append((
                    '%s with %s' % (q.name, virt), enum, number(q.version),
                    {n: by_virt[virt] for n, by_virt in q.models.items()}))

    def provenance(self):
        return ', '.join([m.name for m in self.maps] + [q.name for q in self.qemus])

    def spelling(self, name):
        for q in reversed(self.qemus):
            if name in q.spelling:
                return q.spelling[name]
        return None

    def mask(self, in_map, in_qemu):
        """The sources for whose map or QEMU the function says yes."""
        bits = [bool(in_map(m)) for m in self.maps]
        for q in self.qemus:
            bits += 2 * [bool(in_qemu(q))]
        return sum(bit << i for i, bit in enumerate(bits))

    def newest_row(self, model):
        return next(m.models[model] for m in reversed(self.maps) if model in m.models)

    def oldest_row(self, model):
        return next(m.models[model] for m in self.maps if model in m.models)

    def definitions(self, model, base):
        """[(mask, adds, lacks)] of the sources that do not mean the base by it."""
        rows = {}
        for i, (_, _, _, models) in enumerate(self.sources):
            if model in models and models[model] != base:
                rows.setdefault(frozenset(models[model]), []).append(i)
        return [(sum(1 << i for i in its), meant - base, base - meant)
                for meant, its in rows.items()]
