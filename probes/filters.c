/*
 * Installs the kernel filter. While its maps change every event passes. Owns nothing. Engine
 * thread.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "haetae/kernel_filter.h"
#include "probes_private.h"
#include "skeleton.h"

/* The longest of the keys. */
union filter_any_key {
	struct filter_number_key number;
	struct filter_comm_key comm;
	struct filter_name_key name;
	struct filter_address_key address;
};

static int empty(int map_fd)
{
	union filter_any_key key;

	while (bpf_map_get_next_key(map_fd, NULL, &key) == 0)
		if (bpf_map_delete_elem(map_fd, &key))
			return -errno;
	return errno == ENOENT ? 0 : -errno;
}

#define FILL(map_fd, items, cnt)                                                                 \
	({                                                                                       \
		int result_ = empty(map_fd);                                                     \
		for (uint32_t i_ = 0; i_ < (cnt) && result_ == 0; i_++)                          \
			if (bpf_map_update_elem(map_fd, &(items)[i_].key, &(items)[i_].mask, 0)) \
				result_ = -errno;                                                \
		result_;                                                                         \
	})

static int fill(struct haetae_bpf *bpf, const struct kernel_filter *filter)
{
	int types_fd = bpf_map__fd(bpf->maps.filter_types);
	int r = FILL(bpf_map__fd(bpf->maps.filter_numbers), filter->numbers, filter->number_cnt);

	if (r == 0)
		r = FILL(bpf_map__fd(bpf->maps.filter_comms), filter->comms, filter->comm_cnt);
	if (r == 0)
		r = FILL(bpf_map__fd(bpf->maps.filter_names), filter->names, filter->name_cnt);
	if (r == 0)
		r = FILL(bpf_map__fd(bpf->maps.filter_addresses), filter->addresses,
			 filter->address_cnt);
	for (uint32_t type = 0; type < EVENT__COUNT && r == 0; type++)
		if (bpf_map_update_elem(types_fd, &type, &filter->types[type], 0))
			r = -errno;
	return r;
}

int probes_filter(struct probes *probes, const struct kernel_filter *filter, enum filter_mode mode)
{
	struct haetae_bpf *bpf = probes->bpf;
	int r;

	if (bpf->bss->filter_mode != FILTER_OFF) {
		bpf->bss->filter_mode = FILTER_OFF;
		programs_wait();
	}
	if (mode == FILTER_OFF || !filter)
		return 0;
	if (filter->number_cnt > FILTER_ENTRIES || filter->comm_cnt > FILTER_ENTRIES ||
	    filter->name_cnt > FILTER_ENTRIES || filter->address_cnt > FILTER_ENTRIES)
		return -E2BIG;
	bpf->bss->is_contact_wanted = filter->is_contact_wanted;
	r = fill(bpf, filter);
	if (r == 0)
		bpf->bss->filter_mode = (uint8_t)mode;
	return r;
}
