/*
 * Reads the PEM files of a sink once, so that a mistake is found at the start and not by a failing
 * handshake. Owns nothing beyond a call. Before the outputs thread starts.
 */
#include "tls_files.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

static void close_bio(BIO **bio)
{
	BIO_free(*bio);
}

static void free_certificate(X509 **certificate)
{
	X509_free(*certificate);
}

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

/* Nobody is there to ask. */
static int no_passphrase(char *text, int size, int is_writing, void *data)
{
	return -1;
}

static int complain(char *reterr, size_t size, int r, const char *option, const char *path,
		    const char *what)
{
	snprintf(reterr, size, "%s: %s: %s", option, path, what);
	return r;
}

static int open_file(const char *option, const char *path, BIO **ret, char *reterr, size_t size)
{
	int r;

	errno = 0;
	*ret = BIO_new_file(path, "re");
	r = errno ? -errno : -EIO;
	return *ret ? 0 : complain(reterr, size, r, option, path, strerror(-r));
}

static int read_certificate(const char *option, const char *path, X509 **ret, char *reterr,
			    size_t size)
{
	_cleanup_(close_bio) BIO *file = NULL;
	int r = open_file(option, path, &file, reterr, size);

	if (r < 0)
		return r;
	*ret = PEM_read_bio_X509(file, NULL, no_passphrase, NULL);
	return *ret ? 0 : complain(reterr, size, -EINVAL, option, path, "no PEM certificate in it");
}

static int read_key(const char *path, EVP_PKEY **ret, char *reterr, size_t size)
{
	_cleanup_(close_bio) BIO *file = NULL;
	int r = open_file("tls.key", path, &file, reterr, size);

	if (r < 0)
		return r;
	*ret = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, NULL);
	return *ret ? 0
		    : complain(reterr, size, -EINVAL, "tls.key", path,
			       "no PEM key without a passphrase in it");
}

int tls_files_check(const struct sink_config *config, char *reterr, size_t size)
{
	_cleanup_(free_certificate) X509 *authority = NULL, *certificate = NULL;
	_cleanup_(free_key) EVP_PKEY *key = NULL;
	int r = 0;

	if (config->tls.ca_file)
		r = read_certificate("tls.ca", config->tls.ca_file, &authority, reterr, size);
	if (r == 0 && !config->tls.cert_file != !config->tls.key_file) {
		snprintf(reterr, size, "tls.cert and tls.key go together");
		return -EINVAL;
	}
	if (r < 0 || !config->tls.cert_file)
		return r;
	r = read_certificate("tls.cert", config->tls.cert_file, &certificate, reterr, size);
	if (r == 0)
		r = read_key(config->tls.key_file, &key, reterr, size);
	if (r == 0 && X509_check_private_key(certificate, key) != 1)
		r = complain(reterr, size, -EINVAL, "tls.key", config->tls.key_file,
			     "not the key of tls.cert");
	return r;
}
