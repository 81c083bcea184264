/*
 * Reads a bearer token's file and keeps the header made of it. The file is ours (in our own
 * container), not the host's. Metadata thread.
 */
#include "token.h"

#include <errno.h>
#include <fcntl.h>

#include "haetae/clock.h"

#define TOKEN_BYTES_MAX 16384
#define CHECK_PERIOD_NS (10 * NS_PER_SEC)

void token_init(struct token *token, const char *path)
{
	*token = (struct token){ .path = path };
	buf_init(&token->header, TOKEN_BYTES_MAX + 64);
}

void token_done(struct token *token)
{
	if (token->header.p)
		explicit_bzero(token->header.p, token->header.cap);
	buf_done(&token->header);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* RFC 6750: letters, digits and -._~+/= ; one trailing newline is what editors leave. */
static bool make_header(struct token *token, char *text, size_t n)
{
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	if (!n)
		return false;
	buf_clear(&token->header);
	buf_puts(&token->header, "Authorization: Bearer ");
	buf_put(&token->header, text, n);
	return !token->header.failed;
}

static int read_file(struct token *token, int fd)
{
	char text[TOKEN_BYTES_MAX];
	size_t n = 0;
	int result;

	while (n < sizeof(text)) {
		ssize_t r = read(fd, text + n, sizeof(text) - n);

		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	result = n < sizeof(text) && make_header(token, text, n) ? 0 : -EINVAL;
	explicit_bzero(text, sizeof(text));
	return result;
}

int token_refresh(struct token *token, uint64_t now_ns, bool now_at_once)
{
	_cleanup_(close_fdp) int fd = -1;
	struct stat now;
	int r;

	if (!now_at_once && token->checked_ns && now_ns < token->checked_ns + CHECK_PERIOD_NS)
		return 0;
	/* The kubelet swaps a symbolic link, so the link is followed. */
	fd = open(token->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &now) < 0)
		return -errno;
	if (!S_ISREG(now.st_mode))
		return -EINVAL;
	token->checked_ns = now_ns;
	if (token->header.n && is_same(&now, &token->seen))
		return 0;
	r = read_file(token, fd);
	if (r < 0)
		return r;
	token->seen = now;
	return 1;
}
