/*
 * Getters of evt.* that stand in files of their own: times and parameters.
 */
#ifndef HAETAE_MATCH_FIELDS_EVT_H
#define HAETAE_MATCH_FIELDS_EVT_H

#include "fields.h"

/* fields_time.c */
void evt_get_time(const struct field_context *context, const struct field_argument *argument,
		  struct value_set *ret);
void evt_get_time_s(const struct field_context *context, const struct field_argument *argument,
		    struct value_set *ret);
void evt_get_time_iso8601(const struct field_context *context,
			  const struct field_argument *argument, struct value_set *ret);
void evt_get_datetime(const struct field_context *context, const struct field_argument *argument,
		      struct value_set *ret);
void evt_get_datetime_s(const struct field_context *context, const struct field_argument *argument,
			struct value_set *ret);
void evt_get_rawtime(const struct field_context *context, const struct field_argument *argument,
		     struct value_set *ret);
void evt_get_rawtime_s(const struct field_context *context, const struct field_argument *argument,
		       struct value_set *ret);
void evt_get_rawtime_ns(const struct field_context *context, const struct field_argument *argument,
			struct value_set *ret);

/* fields_param.c */
void evt_get_arg(const struct field_context *context, const struct field_argument *argument,
		 struct value_set *ret);
void evt_get_rawarg(const struct field_context *context, const struct field_argument *argument,
		    struct value_set *ret);
void evt_get_args(const struct field_context *context, const struct field_argument *argument,
		  struct value_set *ret);

/* fields_io.c */
void evt_get_is_io(const struct field_context *context, const struct field_argument *argument,
		   struct value_set *ret);
void evt_get_is_io_read(const struct field_context *context, const struct field_argument *argument,
			struct value_set *ret);
void evt_get_is_io_write(const struct field_context *context, const struct field_argument *argument,
			 struct value_set *ret);
void evt_get_is_wait(const struct field_context *context, const struct field_argument *argument,
		     struct value_set *ret);
void evt_get_buffer(const struct field_context *context, const struct field_argument *argument,
		    struct value_set *ret);
void evt_get_buflen(const struct field_context *context, const struct field_argument *argument,
		    struct value_set *ret);
void evt_get_buflen_in(const struct field_context *context, const struct field_argument *argument,
		       struct value_set *ret);
void evt_get_buflen_out(const struct field_context *context, const struct field_argument *argument,
			struct value_set *ret);
void evt_get_buflen_file(const struct field_context *context, const struct field_argument *argument,
			 struct value_set *ret);
void evt_get_buflen_file_in(const struct field_context *context,
			    const struct field_argument *argument, struct value_set *ret);
void evt_get_buflen_file_out(const struct field_context *context,
			     const struct field_argument *argument, struct value_set *ret);
void evt_get_buflen_net(const struct field_context *context, const struct field_argument *argument,
			struct value_set *ret);
void evt_get_buflen_net_in(const struct field_context *context,
			   const struct field_argument *argument, struct value_set *ret);
void evt_get_buflen_net_out(const struct field_context *context,
			    const struct field_argument *argument, struct value_set *ret);
void evt_get_is_syslog(const struct field_context *context, const struct field_argument *argument,
		       struct value_set *ret);
void evt_get_io_dir(const struct field_context *context, const struct field_argument *argument,
		    struct value_set *ret);
void evt_get_category(const struct field_context *context, const struct field_argument *argument,
		      struct value_set *ret);

/* fields_privilege.c */
bool evt_has_before(const struct event_schema *schema);
void evt_get_is_privilege_gain(const struct field_context *context,
			       const struct field_argument *argument, struct value_set *ret);

#endif
