/* The bytes of cpuherd-peer; IMAGE_RAW and IMAGE_GZIP are paths in the build folder. */
	.section .rodata
	.global cpuherd_image_raw, cpuherd_image_raw_end
	.global cpuherd_image_gzip, cpuherd_image_gzip_end
	.balign 16
cpuherd_image_raw:
	.incbin IMAGE_RAW
cpuherd_image_raw_end:
	.balign 16
cpuherd_image_gzip:
	.incbin IMAGE_GZIP
cpuherd_image_gzip_end:
	.section .note.GNU-stack, "", %progbits
