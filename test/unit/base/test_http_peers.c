/* Unit tests of the HTTP client's other peers: gRPC over plain HTTP/2, and TLS by openssl's own
 * server. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fake_http.h"
#include "haetae/clock.h"
#include "haetae/http.h"
#include "http_answer.h"

struct outcome {
	bool is_done;
	struct http_result result;
	char body[512];
};

static void keep(const struct http_result *result, void *data)
{
	struct outcome *outcome = data;

	outcome->is_done = true;
	outcome->result = *result;
	memcpy(outcome->body, result->body.p, MIN(result->body.n, sizeof(outcome->body) - 1));
}

static void fetch(struct http_client *client, struct http_request *request, struct outcome *outcome)
{
	uint64_t end_ns = clock_boot_ns() + 5 * NS_PER_SEC;

	*outcome = (struct outcome){ 0 };
	request->method = request->method ? request->method : "GET";
	request->on_done = keep;
	request->data = outcome;
	cr_assert_eq(http_start(client, request, NULL), 0);
	while (!outcome->is_done && clock_boot_ns() < end_ns)
		http_step(client, NULL, 0, end_ns);
	cr_assert(outcome->is_done);
}

/* ---- gRPC ----------------------------------------------------------------------------------- */

/* RFC 9113 section 4.1. */
enum {
	FRAME_DATA = 0,
	FRAME_HEADERS = 1,
	FRAME_SETTINGS = 4
};
enum {
	END_STREAM = 1,
	END_HEADERS = 4,
	SETTINGS_ACK = 1
};

static void put_frame(int fd, unsigned type, unsigned flags, unsigned stream, struct str payload)
{
	char head[9] = { 0 };

	head[1] = (char)(payload.n >> 8);
	head[2] = (char)payload.n;
	head[3] = (char)type;
	head[4] = (char)flags;
	head[8] = (char)stream;
	fake_write(fd, head, sizeof(head));
	fake_write(fd, payload.p, payload.n);
}

/* RFC 7541 section 6.2.2: a literal that is not indexed, with a new name. */
static void put_literal(struct buf *block, const char *name, const char *value)
{
	buf_putc(block, 0);
	buf_putc(block, (char)strlen(name));
	buf_puts(block, name);
	buf_putc(block, (char)strlen(value));
	buf_puts(block, value);
}

/* Whether the request is whole: a DATA frame that ends the stream. What precedes is the preface's
 * rest, "SM". */
static bool has_request(const char *bytes, size_t n)
{
	size_t at = 6;

	while (at + 9 <= n) {
		size_t length =
			(size_t)(unsigned char)bytes[at + 1] << 8 | (unsigned char)bytes[at + 2];

		if (bytes[at + 3] == FRAME_DATA && bytes[at + 4] & END_STREAM)
			return at + 9 + length <= n;
		at += 9 + length;
	}
	return false;
}

static bool read_request(int fd, const struct fake_request *request)
{
	char bytes[4096];
	size_t n = MIN(request->body_n, sizeof(bytes));
	ssize_t got = 1;

	memcpy(bytes, request->body, n);
	while (got > 0 && !has_request(bytes, n)) {
		got = read(fd, bytes + n, sizeof(bytes) - n);
		n += got > 0 ? (size_t)got : 0;
	}
	return got > 0;
}

struct grpc_script {
	const char *data, *status, *message;
};

static bool grpc(int fd, const struct fake_request *request, void *data)
{
	const struct grpc_script *script = data;
	_cleanup_(buf_done) struct buf headers = { 0 };
	_cleanup_(buf_done) struct buf trailers = { 0 };
	unsigned end = script->status ? 0 : END_STREAM;

	cr_assert_str_eq(request->method, "PRI");
	if (!read_request(fd, request))
		return false;
	buf_init(&headers, 1000);
	buf_init(&trailers, 1000);
	buf_putc(&headers, (char)0x88); /* ":status: 200" of the static table */
	put_literal(&headers, "content-type", "application/grpc");
	put_frame(fd, FRAME_SETTINGS, 0, 0, STR(""));
	put_frame(fd, FRAME_SETTINGS, SETTINGS_ACK, 0, STR(""));
	put_frame(fd, FRAME_HEADERS, END_HEADERS, 1, buf_str(&headers));
	put_frame(fd, FRAME_DATA, end, 1, str_from(script->data));
	if (script->status) {
		put_literal(&trailers, "grpc-status", script->status);
		if (script->message)
			put_literal(&trailers, "grpc-message", script->message);
		put_frame(fd, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, buf_str(&trailers));
	}
	fake_sleep_ms(fd, 2000);
	return false;
}

Test(http_peers, grpc_trailers)
{
	const struct {
		struct grpc_script script;
		int status;
		const char *message;
	} cases[] = {
		{ { "answer", "0", NULL }, 0, "" },
		{ { "", "5", "no%20such%20container%3a%20%E2%82%AC%0A%zz" },
		  5,
		  "no such container: \xe2\x82\xac?%zz" },
		{ { "", "12x", NULL }, -1, "" },
		{ { "cut", NULL, NULL }, -1, "" },
	};
	char path[] = "/tmp/haetae_test_grpc_XXXXXX.sock";
	struct http_client *client;

	close(mkstemps(path, 5));
	cr_assert_eq(http_client_new(&client), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct grpc_script script = cases[i].script;
		struct fake_http *server = fake_http_start(path, grpc, &script);
		struct http_request request = {
			.method = "POST",
			.url = "http://localhost/runtime.v1.RuntimeService/Version",
			.unix_socket = path,
			.is_plain_http2 = true,
			.timeout_ns = 2 * NS_PER_SEC,
			.body = { "\0\0\0\0\0", 5 },
		};

		/* Twice: libcurl 7.88 fails where a connection is used again. */
		for (int k = 0; k < 2; k++) {
			struct outcome outcome;

			fetch(client, &request, &outcome);
			cr_expect_eq(outcome.result.error, 0, "%zu: %s", i, outcome.result.message);
			cr_expect_eq(outcome.result.status, 200);
			cr_expect_eq(outcome.result.grpc_status, cases[i].status, "%zu", i);
			cr_expect_str_eq(outcome.result.grpc_message, cases[i].message);
			cr_expect_str_eq(outcome.body, script.data);
			cr_expect_str_eq(outcome.result.content_type, "application/grpc");
		}
		fake_http_stop(server);
	}
	http_client_free(client);
}

Test(http_peers, grpc_message_is_bounded)
{
	struct http_result result = { .grpc_status = -1 };
	char line[2000] = "grpc-message: ";

	memset(line + 14, 'a', sizeof(line) - 15);
	http_answer_line(&result, str_from(line), 0);
	cr_expect_eq(strlen(result.grpc_message), sizeof(result.grpc_message) - 1);
	http_answer_line(&result, STR("grpc-message: %"), 0);
	cr_expect_str_eq(result.grpc_message, "%");
	http_answer_line(&result, STR("grpc-status: 99999999999999999999"), 0);
	cr_expect_eq(result.grpc_status, -1);
	http_answer_line(&result, STR("HTTP/1.1 200"), 0);
	cr_expect_str_eq(result.grpc_message, "");
}

/* ---- TLS ------------------------------------------------------------------------------------ */

static char folder[64];

static const char *in_folder(const char *name, const char *suffix)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % ARRAY_LEN(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s%s", folder, name, suffix);
	return path;
}

/* NAME.crt and NAME.key, signed by themselves. */
static void make_certificate(const char *name, const char *host)
{
	char command[800];

	snprintf(command, sizeof(command),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
		 "-keyout %s -out %s -days 2 -subj /CN=%s -addext subjectAltName=%s 2>/dev/null",
		 in_folder(name, ".key"), in_folder(name, ".crt"), name, host);
	cr_assert_eq(system(command), 0, "%s", command);
}

/* `openssl s_server` with more options; its port. */
static pid_t start_server(const char *name, const char *options, unsigned *port)
{
	char command[800], line[200] = "";
	int ends[2];
	FILE *output;
	pid_t pid;

	snprintf(command, sizeof(command),
		 "exec openssl s_server -accept 127.0.0.1:0 -www -cert %s -key %s %s",
		 in_folder(name, ".crt"), in_folder(name, ".key"), options);
	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_RDWR), STDERR_FILENO);
		close(ends[0]);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	output = fdopen(ends[0], "r");
	while (fgets(line, sizeof(line), output))
		if (sscanf(line, "ACCEPT 127.0.0.1:%u", port) == 1)
			break;
	cr_assert_gt(*port, 0, "openssl s_server says where it listens");
	/* Left open: the server would end by SIGPIPE. */
	return pid;
}

static void stop_server(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/haetae_test_tls_XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	make_certificate("right", "IP:127.0.0.1,DNS:localhost");
	make_certificate("other", "IP:127.0.0.1");
	make_certificate("elsewhere", "DNS:elsewhere.test");
}

static void remove_folder(void)
{
	static const char *const names[] = { "right", "other", "elsewhere" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unlink(in_folder(names[i], ".crt"));
		unlink(in_folder(names[i], ".key"));
	}
	rmdir(folder);
}

struct tls_case {
	const char *name, *server, *options;
	const char *ca, *client; /* names of certificates; NULL: none */
	enum http_error error;
};

static const struct tls_case tls_cases[] = {
	{ "right authority", "right", "", "right", NULL, 0 },
	{ "nobody's authority", "right", "", NULL, NULL, HTTP_E_TLS },
	{ "another authority", "right", "", "other", NULL, HTTP_E_TLS },
	{ "another host's certificate", "elsewhere", "", "elsewhere", NULL, HTTP_E_TLS },
	{ "no such file", "right", "", "missing", NULL, HTTP_E_TLS },
	{ "only TLS 1.1", "right", "-tls1_1 -cipher ALL:@SECLEVEL=0", "right", NULL, HTTP_E_TLS },
	{ "our certificate", "right", "-Verify 1 -verify_return_error -CAfile OTHER", "right",
	  "other", 0 },
	{ "our certificate is missing", "right", "", "right", "missing", HTTP_E_TLS },
};

static void run_case(const struct tls_case *row)
{
	char options[300], url[64];
	struct http_client *client;
	struct http_request request = { .url = url };
	struct outcome outcome;
	unsigned port = 0;
	pid_t pid;

	snprintf(options, sizeof(options), "%s", row->options);
	if (strstr(options, "OTHER"))
		strcpy(strstr(options, "OTHER"), in_folder("other", ".crt"));
	pid = start_server(row->server, options, &port);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port);
	request.ca_file = row->ca ? in_folder(row->ca, ".crt") : NULL;
	request.cert_file = row->client ? in_folder(row->client, ".crt") : NULL;
	request.key_file = row->client ? in_folder(row->client, ".key") : NULL;
	cr_assert_eq(http_client_new(&client), 0);
	fetch(client, &request, &outcome);
	cr_expect_eq(outcome.result.error, row->error, "%s: %s, %s", row->name,
		     http_error_name(outcome.result.error), outcome.result.message);
	cr_expect_eq(outcome.result.status, row->error ? 0 : 200, "%s", row->name);
	http_client_free(client);
	stop_server(pid);
}

Test(http_peers, tls)
{
	signal(SIGPIPE, SIG_IGN);
	make_folder();
	for (size_t i = 0; i < ARRAY_LEN(tls_cases); i++)
		run_case(&tls_cases[i]);
	remove_folder();
}

/* A rotated file counts at the next connection. */
Test(http_peers, rotated_authority)
{
	char url[64];
	struct http_client *client;
	struct http_request request = { .url = url };
	struct outcome outcome;
	unsigned first_port = 0, second_port = 0;
	pid_t first, second;

	signal(SIGPIPE, SIG_IGN);
	make_folder();
	first = start_server("right", "", &first_port);
	second = start_server("other", "", &second_port);
	cr_assert_eq(http_client_new(&client), 0);
	request.ca_file = in_folder("elsewhere", ".crt");
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(rename(in_folder(i ? "other" : "right", ".crt"), request.ca_file), 0);
		snprintf(url, sizeof(url), "https://127.0.0.1:%u/", i ? second_port : first_port);
		fetch(client, &request, &outcome);
		cr_expect_eq(outcome.result.status, 200, "%d: %s", i, outcome.result.message);
	}
	http_client_free(client);
	stop_server(first);
	stop_server(second);
	remove_folder();
}
