"""Linux' names of libvirt's features."""

# libvirt's map names QEMU's spellings but few of Linux's.  By default it is libvirt's with
# an underscore for each dash, and none for a bit of an MSR.
# Source: arch/x86/include/asm/cpufeatures.h, names as /proc/cpuinfo prints them.
LINUX = {
    'ds': 'dts', 'pclmuldq': 'pclmulqdq', 'sse4.1': 'sse4_1', 'sse4.2': 'sse4_2',
    'tsc-deadline': 'tsc_deadline_timer', 'cr8legacy': 'cr8_legacy',
    'avx512vbmi2': 'avx512_vbmi2', 'avx512vnni': 'avx512_vnni',
    'avx512bitalg': 'avx512_bitalg', 'tsx-ldtrk': 'tsxldtrk', 'cmt': 'cqm',
    'mbm_total': 'cqm_mbm_total', 'mbm_local': 'cqm_mbm_local', 'sgxlc': 'sgx_lc',
    'pause-filter': 'pausefilter', 'split-lock-detect': 'split_lock_detect',
    'cet-ibt': 'ibt', 'xstore': 'rng', 'xstore-en': 'rng_en', 'xcrypt': 'ace',
    'xcrypt-en': 'ace_en',
}
# /proc/cpuinfo does not print these bits under a name of their own: the comment in
# cpufeatures.h has the empty name, or none since that means the same (Linux 6.11), or
# only KVM knows the leaf (arch/x86/kvm/reverse_cpuid.h).
LINUX_HIDES = set("""
    spec-ctrl invtsc osxsave core-capability xfd sgx1 sgx2 sgx-exinfo sgx-debug sgx-mode64
    sgx-provisionkey sgx-tokenkey sgx-kss sgx-edeccssa sgx-aex-notify intel-pt-lip
    amd-stibp amd-ssbd amd-no-ssb stibp-always-on svme-addr-chk fdp-excptn-only
    zero-fcs-fds sha512 sm3 sm4 cmpccxadd fzrm fsrs fsrc lkgs wrmsrns amx-fp16 avx-ifma
    avx-vnni-int8 avx-ne-convert amx-complex avx-vnni-int16 prefetchiti avx10 avx10-128
    avx10-256 avx10-512 avx10-vnni-int intel-psfd ipred-ctrl rrsba-ctrl ddpd-u bhi-ctrl
    mcdt-no no-nested-data-bp lfence-always-serializing null-sel-clr-base auto-ibrs eraps
    sbpb ibpb-brtype srso-no srso-user-kernel-no cet-ss movrs msr-imm apxf apx-nci-ndd-nf
    amx-int8-alias amx-bf16-alias amx-complex-alias amx-fp16-alias amx-fp8 amx-tf32
    amx-avx512 amx-movrs gmet fs-gs-base-ns verw-clear prefetchi tsa-sq-no tsa-l1-no
    """.split())


def linux_name(name, feature):
    if name in LINUX_HIDES or (feature['msr'] and name not in LINUX):
        return None
    return LINUX.get(name, name.replace('-', '_'))
