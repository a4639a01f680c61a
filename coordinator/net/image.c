#include "coordinator/net/image.h"

/* image.S */
extern const uint8_t cpuherd_image_raw[], cpuherd_image_raw_end[];
extern const uint8_t cpuherd_image_gzip[], cpuherd_image_gzip_end[];

struct image image_of_peer(void)
{
	struct image image = {
		.raw = { cpuherd_image_raw,
			(size_t)(cpuherd_image_raw_end - cpuherd_image_raw) },
		.gzip = { cpuherd_image_gzip,
			(size_t)(cpuherd_image_gzip_end - cpuherd_image_gzip) },
		.machine = IMAGE_MACHINE,
	};
	struct digest d = digest_of(image.raw.data, image.raw.size);

	digest_to_hex(&d, image.sha256);
	return image;
}
