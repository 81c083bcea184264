/*
 * Alerts for the tests of payloads, as engine/alert makes them.
 */
#ifndef HAETAE_TEST_PAYLOAD_FIXTURE_H
#define HAETAE_TEST_PAYLOAD_FIXTURE_H

#include "haetae/alert.h"

enum fixture_alert {
	FIXTURE_POD,	 /* of a container in a pod; each type of value */
	FIXTURE_HOSTILE, /* of the host; everything in it tries to break out */
	FIXTURE_BARE,	 /* no fields, no tags, nothing known */
	FIXTURE__COUNT
};
struct alert *fixture_alert(enum fixture_alert which);

#endif
