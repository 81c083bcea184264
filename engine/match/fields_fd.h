/*
 * Getters of fd.* that stand in fields_net.c; fields_fd.c has the table.
 */
#ifndef HAETAE_MATCH_FIELDS_FD_H
#define HAETAE_MATCH_FIELDS_FD_H

#include "fields.h"

#define FD_GETTER(name)                                                                       \
	void name(const struct field_context *context, const struct field_argument *argument, \
		  struct value_set *ret)

/* Whether the record holds an end of a socket. */
bool has_socket(const struct event *event);
/* "ipv4", "unix", …; NULL where the event is about no socket, or its family is not known. */
const char *socket_type(const struct event *event);
/* '4', '6', 'u', 'n', or 'o'. */
char socket_typechar(const struct event *event);

FD_GETTER(net_get_name);
FD_GETTER(net_get_connected);
FD_GETTER(net_get_name_changed);
FD_GETTER(net_get_is_server);
FD_GETTER(net_get_l4proto);
FD_GETTER(net_get_sockfamily);
FD_GETTER(net_get_ip);
FD_GETTER(net_get_port);
FD_GETTER(net_get_proto);
FD_GETTER(net_get_net);
FD_GETTER(net_get_local_ip);
FD_GETTER(net_get_local_net);
FD_GETTER(net_get_local_port);
FD_GETTER(net_get_local_proto);
FD_GETTER(net_get_remote_ip);
FD_GETTER(net_get_remote_net);
FD_GETTER(net_get_remote_port);
FD_GETTER(net_get_remote_proto);
FD_GETTER(net_get_client_ip);
FD_GETTER(net_get_client_net);
FD_GETTER(net_get_client_port);
FD_GETTER(net_get_client_proto);
FD_GETTER(net_get_server_ip);
FD_GETTER(net_get_server_net);
FD_GETTER(net_get_server_port);
FD_GETTER(net_get_server_proto);
FD_GETTER(net_get_local_host_name);
FD_GETTER(net_get_remote_host_name);
FD_GETTER(net_get_client_host_name);
FD_GETTER(net_get_server_host_name);

#endif
