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

#endif
