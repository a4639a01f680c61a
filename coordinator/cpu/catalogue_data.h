/* catalogue_data.h - the generated tables, for catalogue.c alone. */
#ifndef COORDINATOR_CATALOGUE_DATA_H
#define COORDINATOR_CATALOGUE_DATA_H

#include "coordinator/cpu/catalogue.h"

struct vendor_row {
	const char *name, *string; /* "Intel", "GenuineIntel" */
	uint32_t sources;
};

/* The sources switch off the dependents where the feature is off. */
struct ground_row {
	uint16_t row;
	uint32_t sources;
	struct feature_list dependents;
};

extern const char catalogue_data_provenance[];
extern const struct source_row catalogue_data_sources[];
extern const size_t catalogue_data_source_count;
extern const struct vendor_row catalogue_data_vendors[];
extern const size_t catalogue_data_vendor_count;
extern const struct feature_row catalogue_data_features[];
extern const size_t catalogue_data_feature_count;
extern const struct ground_row catalogue_data_grounds[];
extern const size_t catalogue_data_ground_count;
extern const struct model_row catalogue_data_models[];
extern const size_t catalogue_data_model_count;

#endif
