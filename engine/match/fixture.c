/*
 * Names and texts to fields and values, and the event that gives them. Owns nothing: all is in the
 * caller's arena. Called by the command line.
 */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>

/* Those tell of the event's type alone: their getters need nothing else. */
static const char *const of_the_type[] = { "evt.type",	 "syscall.type", "evt.category",
					   "evt.source", "evt.count",	 "evt.dir",
					   "evt.num",	 "evt.is_async", "evt.is_wait" };

/* ---- values --------------------------------------------------------------------------------- */

static bool convert_number(struct str text, uint64_t *ret)
{
	char copy[32], *end;
	bool is_negative;

	if (text.n == 0 || text.n >= sizeof(copy) || memchr(text.p, '\0', text.n))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	is_negative = copy[0] == '-';
	if (!strchr("0123456789", copy[is_negative]) || !copy[is_negative])
		return false;
	errno = 0;
	*ret = is_negative ? (uint64_t)strtoll(copy, &end, 10)
			   : strtoull(copy, &end, str_starts_with(text, STR("0x")) ? 16 : 10);
	return errno == 0 && *end == '\0';
}

static bool convert_bool(struct str text, bool *ret)
{
	*ret = str_eq_text(text, "true") || str_eq_text(text, "True");
	return *ret || str_eq_text(text, "false") || str_eq_text(text, "False");
}

static bool convert_ip(struct str text, struct ip_address *ret)
{
	char copy[INET6_ADDRSTRLEN];

	if (text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	ret->family = memchr(copy, ':', text.n) ? AF_INET6 : AF_INET;
	return strlen(copy) == text.n && inet_pton(ret->family, copy, ret->bytes) == 1;
}

bool fixture_convert(struct arena *arena, enum value_type type, struct str text, struct value *ret)
{
	*ret = (struct value){ .type = type };
	switch (type) {
	case VALUE_BOOL:
		return convert_bool(text, &ret->is_true);
	case VALUE_STRING:
	case VALUE_PATH:
	case VALUE_BYTES:
		ret->str = arena_str(arena, text);
		return ret->str.p != NULL;
	case VALUE_IP:
	case VALUE_NET:
		return convert_ip(text, &ret->ip);
	case VALUE_PORT:
		return convert_number(text, &ret->u64) && ret->u64 <= UINT16_MAX;
	case VALUE_S64:
	case VALUE_U64:
	case VALUE_RELTIME:
	case VALUE_ABSTIME:
	case VALUE_FLAGS:
		return convert_number(text, &ret->u64);
	case VALUE_TYPE__COUNT:
		break;
	}
	return false;
}

/* ---- names ---------------------------------------------------------------------------------- */

static void unknown_field(const struct fixture_entry *entry, struct diags *diags)
{
	struct near_name near;

	diags_error(diags, entry->name_at, "E0801", "'haetae list fields' names all of them",
		    "unknown field '%.*s'", STR_ARG(entry->name));
	near_name_init(&near, entry->name);
	for (unsigned i = 0; field_at(i); i++)
		near_name_offer(&near, field_at(i)->name);
	if (near.best)
		diags_hint(diags, "did you mean '%s'?", near.best);
}

/* "proc.aname[2]", "evt.arg.flags", "container.label[app]". NULL: no field has such a name. */
static const struct field *split_name(struct str name, struct str *ret_argument, bool *ret_has,
				      bool *ret_is_dotted)
{
	const struct field *field = field_find(name);
	const char *bracket = memchr(name.p, '[', name.n);
	uint32_t n;

	*ret_has = *ret_is_dotted = false;
	if (field)
		return field;
	if (bracket && name.p[name.n - 1] == ']') {
		n = (uint32_t)(bracket - name.p);
		*ret_argument = (struct str){ bracket + 1, name.n - n - 2 };
		if (ret_argument->n >= 2 && strchr("\"'", ret_argument->p[0]) &&
		    ret_argument->p[ret_argument->n - 1] == ret_argument->p[0])
			*ret_argument = (struct str){ ret_argument->p + 1, ret_argument->n - 2 };
		*ret_has = true;
		return field_find((struct str){ name.p, n });
	}
	for (n = name.n; n > 0 && !field; n--) {
		if (name.p[n - 1] != '.')
			continue;
		field = field_find((struct str){ name.p, n - 1 });
		if (field && !(field->flags & FIELD_ARG_DOTTED))
			field = NULL;
		*ret_argument = (struct str){ name.p + n, name.n - n };
	}
	*ret_has = *ret_is_dotted = field != NULL;
	return field;
}

/* False: reported, or passed over. */
static bool find_field(struct arena *arena, const struct fixture_entry *entry, bool is_alert,
		       struct diags *diags, struct fixture_value *ret)
{
	struct str argument = STR_NONE;
	bool has_argument, is_dotted;
	int r;

	ret->field = entry->name.n ? split_name(entry->name, &argument, &has_argument, &is_dotted)
				   : NULL;
	if (!ret->field) {
		if (!is_alert)
			unknown_field(entry, diags);
		return false;
	}
	r = field_argument_parse(arena, ret->field, has_argument ? &argument : NULL, is_dotted,
				 &ret->argument);
	if (r > 0 && !is_alert)
		diags_error(diags, entry->name_at, "E0801",
			    r == FIELD_ARG_E_PARAM   ? "'haetae list events' names the parameters"
			    : r == FIELD_ARG_E_INDEX ? "only a number will do in the brackets"
			    : r == FIELD_ARG_E_MISSING
				    ? "this field needs an argument, as in proc.env[HOME]"
				    : "this field takes no such argument",
			    "'%.*s' is no field", STR_ARG(entry->name));
	return r == 0;
}

/* A parameter's type is the event's; numbers are what conditions compare. */
static enum value_type type_of(const struct field *field, struct str text)
{
	uint64_t number;

	if (strcmp(field->name, "evt.rawarg") != 0)
		return field->type;
	if (!convert_number(text, &number))
		return VALUE_STRING;
	return text.p[0] == '-' ? VALUE_S64 : VALUE_U64;
}

static bool take_texts(struct arena *arena, const struct fixture_entry *entry, struct diags *diags,
		       struct fixture_value *ret)
{
	bool can_be_many = ret->field->flags & (FIELD_IS_LIST | FIELD_IS_ANY | FIELD_IS_READINGS);
	struct value *values = arena_new_array(arena, struct value, entry->text_cnt + 1);

	if (!values)
		return false;
	if (entry->is_list && !can_be_many) {
		diags_error(diags, entry->name_at, "E0802", "write one value",
			    "'%.*s' has one value, not a list", STR_ARG(entry->name));
		return false;
	}
	for (uint32_t i = 0; i < entry->text_cnt; i++) {
		const struct fixture_text *one = &entry->texts[i];
		enum value_type type;

		if (!one->text.p)
			continue;
		type = type_of(ret->field, one->text);
		if (fixture_convert(arena, type, one->text, &values[ret->set.cnt])) {
			ret->set.cnt++;
		} else {
			diags_error(diags, one->at, "E0802", NULL,
				    "'%.*s' is no value of '%.*s', which is of type %s",
				    STR_ARG(one->text), STR_ARG(entry->name),
				    value_type_name(type));
			return false;
		}
	}
	ret->set.values = values;
	if (ret->set.cnt || (entry->is_list && (ret->field->flags & FIELD_IS_LIST)))
		ret->set.state = FIELD_VALUE;
	return true;
}

/* ---- the event's type ----------------------------------------------------------------------- */

static void unknown_type(const struct fixture_entry *entry, struct str name, struct diags *diags)
{
	struct near_name near;

	diags_error(diags, entry->texts[0].at, "E0803", "'haetae list events' names them",
		    "unknown event type '%.*s'", STR_ARG(name));
	near_name_init(&near, name);
	for (unsigned code = 0; code < EVENT_CODE__COUNT; code++)
		if (event_code_name(code))
			near_name_offer(&near, event_code_name(code));
	if (near.best)
		diags_hint(diags, "did you mean '%s'?", near.best);
}

static bool find_code(const struct fixture_input *input, struct diags *diags, struct fixture *ret)
{
	for (uint32_t i = 0; i < input->entry_cnt; i++) {
		const struct fixture_entry *entry = &input->entries[i];
		int code;

		if (!str_eq_text(entry->name, "evt.type") || entry->text_cnt != 1 ||
		    !entry->texts[0].text.p)
			continue;
		code = event_code_find(entry->texts[0].text);
		if (code < 0) {
			unknown_type(entry, entry->texts[0].text, diags);
			return false;
		}
		ret->is_never = code == (int)EVENT_CODE_NEVER;
		ret->code = ret->is_never ? EVENT_CODE__COUNT : (unsigned)code;
		return true;
	}
	ret->code = EVENT_CODE__COUNT;
	if (!input->rule.p)
		diags_error(diags, input->at, "E0803", "add evt.type: openat, or whichever it is",
			    "an event needs its evt.type");
	return input->rule.p != NULL;
}

static const struct event_schema *schema_of(unsigned code)
{
	return event_schema_get(code < EVENT_CODE_SYSCALL ? (enum event_type)code : EVENT_GENERIC);
}

/* ---- fixtures ------------------------------------------------------------------------------- */

static bool same_argument(const struct field_argument *a, const struct field_argument *b)
{
	return a->kind == b->kind && (a->kind != FIELD_ARG_INDEX || a->index == b->index) &&
	       (a->kind != FIELD_ARG_KEY || str_eq(a->key, b->key));
}

static const struct fixture_value *find(const struct fixture *fixture, const struct field *field,
					const struct field_argument *argument)
{
	for (uint32_t i = 0; i < fixture->value_cnt; i++)
		if (fixture->values[i].field == field &&
		    same_argument(&fixture->values[i].argument, argument))
			return &fixture->values[i];
	return NULL;
}

const struct value *fixture_find(const struct fixture *fixture, const char *name)
{
	const struct field_argument none = { 0 };
	const struct fixture_value *found = find(fixture, field_find(str_from(name)), &none);

	return found && found->set.cnt ? &found->set.values[0] : NULL;
}

static bool add_entry(struct arena *arena, struct fixture *fixture,
		      const struct fixture_input *input, const struct fixture_entry *entry,
		      struct diags *diags)
{
	struct fixture_value value = { .at = entry->name_at };
	bool is_alert = input->rule.p != NULL;

	if (!find_field(arena, entry, is_alert, diags, &value))
		return is_alert;
	if (find(fixture, value.field, &value.argument)) {
		diags_error(diags, entry->name_at, "E0804", "remove one of the two",
			    "'%.*s' is given twice", STR_ARG(entry->name));
		return false;
	}
	if (!is_alert && fixture->code < EVENT_CODE__COUNT &&
	    !field_has_event(value.field, schema_of(fixture->code))) {
		diags_error(diags, entry->name_at, "E0805",
			    "'haetae list fields' says which events have it",
			    "'%.*s' never has a value on %s", STR_ARG(entry->name),
			    event_code_name(fixture->code));
		return false;
	}
	if (!take_texts(arena, entry, diags, &value))
		return is_alert;
	fixture->values[fixture->value_cnt++] = value;
	return true;
}

const struct fixture *fixture_make(struct arena *arena, const struct fixture_input *input,
				   struct diags *diags)
{
	struct fixture *fixture = arena_new(arena, struct fixture);
	bool is_good;

	if (!fixture)
		return NULL;
	if (input->entry_cnt > FIXTURE_VALUES_MAX) {
		diags_error(diags, input->at, "E0804", NULL, "an event has at most %u values",
			    FIXTURE_VALUES_MAX);
		return NULL;
	}
	fixture->at = input->at;
	fixture->rule = input->rule;
	/* Behind what is given there is room for what is derived. */
	fixture->values = arena_new_array(arena, struct fixture_value,
					  input->entry_cnt + FIXTURE_DERIVED_MAX);
	is_good = find_code(input, diags, fixture) && fixture->values;
	for (uint32_t i = 0; fixture->values && i < input->entry_cnt; i++)
		is_good &= add_entry(arena, fixture, input, &input->entries[i], diags);
	if (!is_good)
		return NULL;
	fixture_derive(arena, fixture);
	return fixture;
}

unsigned fixture_code(const struct fixture *fixture)
{
	return fixture->code;
}

bool fixture_is_never(const struct fixture *fixture)
{
	return fixture->is_never;
}

struct str fixture_rule(const struct fixture *fixture)
{
	return fixture->rule;
}

struct span fixture_at(const struct fixture *fixture)
{
	return fixture->at;
}

/* ---- YAML ----------------------------------------------------------------------------------- */

static bool take_node(struct arena *arena, const struct yaml_node *node,
		      struct fixture_entry *entry, struct diags *diags)
{
	struct fixture_text *texts = arena_new_array(
		arena, struct fixture_text, node->kind == YAML_LIST ? node->entry_cnt + 1 : 1);

	if (!texts)
		return false;
	entry->texts = texts;
	entry->is_list = node->kind == YAML_LIST;
	if (node->kind == YAML_SCALAR) {
		texts[entry->text_cnt++] =
			(struct fixture_text){ node->is_null ? STR_NONE : node->text.s, node->at };
		return true;
	}
	for (const struct yaml_entry *e = node->kind == YAML_LIST ? node->entries : NULL; e;
	     e = e->next) {
		if (e->value->kind != YAML_SCALAR)
			break;
		texts[entry->text_cnt++] = (struct fixture_text){ e->value->text.s, e->value->at };
	}
	if (node->kind == YAML_LIST && entry->text_cnt == node->entry_cnt)
		return true;
	diags_error(diags, node->at, "E0802", "an event is a flat map of fields to values",
		    "a value is a text, a number or a list of those");
	return false;
}

const struct fixture *fixture_from_yaml(struct arena *arena, const struct yaml_node *map,
					struct diags *diags)
{
	struct fixture_input input = { .at = map->at };
	struct fixture_entry *entries;
	bool is_good = true;

	if (map->kind != YAML_MAP) {
		diags_error(diags, map->at, "E0804",
			    "write {evt.type: openat, fd.name: /etc/shadow}",
			    "an event is a map of fields to values");
		return NULL;
	}
	entries = arena_new_array(arena, struct fixture_entry, map->entry_cnt + 1);
	input.entries = entries;
	for (const struct yaml_entry *e = entries ? map->entries : NULL; e; e = e->next) {
		struct fixture_entry *entry = &entries[input.entry_cnt];

		if (e->key->kind != YAML_SCALAR) {
			is_good = false; /* the reader has said so */
			continue;
		}
		entry->name = e->key->text.s;
		entry->name_at = e->key->at;
		is_good &= take_node(arena, e->value, entry, diags);
		input.entry_cnt++;
	}
	return is_good && entries ? fixture_make(arena, &input, diags) : NULL;
}

static int read_yaml(struct arena *arena, uint32_t source, struct diags *diags,
		     struct fixtures *ret)
{
	struct yaml_entry *items = NULL;
	const struct fixture **list;
	uint32_t cnt = 0;
	int r = yaml_read(arena, arena, source, diags, &items);

	for (const struct yaml_entry *e = items; e; e = e->next)
		cnt++;
	list = arena_new_array(arena, const struct fixture *, MIN(cnt, FIXTURES_MAX) + 1);
	if (r < 0 || !list)
		return -ENOMEM;
	ret->items = list;
	for (const struct yaml_entry *e = items; e && ret->cnt < FIXTURES_MAX; e = e->next) {
		const struct fixture *fixture = fixture_from_yaml(arena, e->value, diags);

		if (fixture)
			list[ret->cnt++] = fixture;
	}
	return arena->failed ? -ENOMEM : 0;
}

int fixtures_read(struct arena *arena, uint32_t source, struct diags *diags, struct fixtures *ret)
{
	struct str text = diags->sources[source].text;
	uint32_t i = 0;

	*ret = (struct fixtures){ 0 };
	while (i < text.n && memchr(" \t\r\n", text.p[i], 4))
		i++;
	return i < text.n && text.p[i] == '{' ? fixtures_read_json(arena, source, diags, ret)
					      : read_yaml(arena, source, diags, ret);
}

/* ---- the event ------------------------------------------------------------------------------ */

static bool is_of_the_type(const struct field *field)
{
	for (size_t i = 0; i < ARRAY_LEN(of_the_type); i++)
		if (strcmp(of_the_type[i], field->name) == 0)
			return true;
	return false;
}

static bool give(const struct field *field, const struct field_argument *argument,
		 struct value_set *ret, void *data)
{
	const struct fixture_event *event = data;
	const struct field_argument none = { 0 };
	const struct fixture_value *found = find(event->fixture, field, argument);

	if (found) {
		*ret = found->set;
		return true;
	}
	/* proc.aname[2] of a list: [0] would be the process itself. evt.arg[1]: by its place. */
	if (argument->kind == FIELD_ARG_INDEX) {
		found = find(event->fixture, field, &none);
		if (found && argument->index >= 1 && argument->index <= found->set.cnt)
			*ret = (struct value_set){ FIELD_VALUE, 1,
						   found->set.values + argument->index - 1 };
		for (uint32_t i = 0; !found && i < event->fixture->value_cnt; i++) {
			const struct fixture_value *one = &event->fixture->values[i];

			if (one->field == field && one->argument.param_of_type &&
			    one->argument.param_of_type[event->header.type] >= 0 &&
			    (uint64_t)one->argument.param_of_type[event->header.type] ==
				    argument->index)
				*ret = one->set;
		}
		return true;
	}
	return !is_of_the_type(field);
}

static uint16_t syscall_of(unsigned code)
{
	const char *name = event_code_name(code);
	int number = name ? syscall_number(str_from(name)) : -1;

	return number < 0 ? WIRE_NO_SYSCALL : (uint16_t)number;
}

void fixture_begin(struct fixture_event *event, const struct fixture *fixture, unsigned code,
		   struct arena *scratch, struct field_context *ret)
{
	const struct value *time = fixture_find(fixture, "evt.rawtime");

	hae_assert(code < EVENT_CODE__COUNT);
	*event = (struct fixture_event){ .fixture = fixture };
	event->header.type = (uint16_t)(code < EVENT_CODE_SYSCALL ? code : EVENT_GENERIC);
	event->header.syscall_nr = syscall_of(code);
	event->header.time_ns = time ? time->u64 : 0;
	event->header.ring = WIRE_RING_OWN;
	event->event = (struct event){
		.header = &event->header,
		.schema = schema_of(code),
		.code = code,
		.number = 1,
		.scratch = scratch,
	};
	*ret = (struct field_context){
		.event = &event->event,
		.source = "syscall",
		.override = give,
		.override_data = event,
		.is_final = true,
	};
}
