/* catalogue_data.h - the generated tables, for catalogue.c alone. */
#ifndef COORDINATOR_CATALOGUE_DATA_H
#define COORDINATOR_CATALOGUE_DATA_H

#include "coordinator/cpu/catalogue.h"

struct vendor_row {
	const char *name, *string; /* "Intel", "GenuineIntel" */
};

extern const char catalogue_data_provenance[];
extern const uint64_t catalogue_data_libvirt_version; /* major * 1000000 + ... */
extern const struct source_row catalogue_data_sources[];
extern const size_t catalogue_data_source_count;
extern const struct vendor_row catalogue_data_vendors[];
extern const size_t catalogue_data_vendor_count;
extern const struct feature_row catalogue_data_features[];
extern const size_t catalogue_data_feature_count;
extern const struct model_row catalogue_data_models[];
extern const size_t catalogue_data_model_count;

#endif
