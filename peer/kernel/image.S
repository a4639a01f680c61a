/* The bytes of the trial guest's kernel; TRIAL_KERNEL is a path in the build folder. */
	.section .rodata
	.global trial_kernel, trial_kernel_end
	.balign 16
trial_kernel:
#ifdef TRIAL_KERNEL
	.incbin TRIAL_KERNEL
#endif
trial_kernel_end:
	.section .note.GNU-stack, "", %progbits
