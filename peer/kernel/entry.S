/* The first instructions of the trial guest (Multiboot Specification 0.6.96, section 3):
 * 32 bits, flat segments, interrupts off; EBX points to what the loader knows. */
	.section .multiboot, "a"
	.balign 4
	.long 0x1badb002, 0, -0x1badb002

	.text
	.global entry, timer_wait, timer_entry, ignored_entry, machine_reset
entry:
	movl $stack_end, %esp
	/* the loader's table of segments may be gone: an interrupt needs one */
	lgdt segments_here
	ljmp $8, $1f
1:	movl $16, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	pushl $0
	popfl
	cld
	pushl %ebx
	call kernel
	/* it does not return */

	/* The machine resets, which for this guest is the end (<on_reboot>destroy): by the
	 * keyboard controller; where it has none by an interrupt without a table of handlers,
	 * and without one for what comes of that. */
machine_reset:
	movb $0xfe, %al
	outb %al, $0x64
	lidt nothing
	int3

	/* Until the next interrupt; at once while no tick was ever seen.  Interrupts are
	 * open here alone, so that a handler can go back to the caller of this, instead of
	 * to where it was: there are KVMs in software that have no iret of 32 bits. */
timer_wait:
	cmpl $0, timer_ticks
	je 1f
	sti
	hlt
1:	sti
	nop
	cli
	ret

timer_entry:
	incl timer_ticks
ignored_entry:
	movb $0x20, %al		/* end of interrupt, to the 8259 */
	outb %al, $0x20
	addl $12, %esp		/* EIP, CS, EFLAGS */
	ret

	.section .rodata
	.balign 8
segments:
	.quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff	/* none, code, data: 4 GiB */
segments_here:
	.word . - segments - 1
	.long segments
nothing:
	.word 0
	.long 0

	.bss
	.balign 16
	.skip 8192
stack_end:
	.section .note.GNU-stack, "", %progbits
