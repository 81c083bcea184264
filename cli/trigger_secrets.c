/*
 * Trigger actions for the rules on keys, passwords and memory of others: what is read are empty
 * files of our own at such names, and processes of our own. Owns the table of them. Runs in a child
 * process of `haetae trigger`.
 */
#include "trigger.h"

/* clang-format off: a table */
static const struct trigger_action actions[] = {
	{ .name = "read-ssh-key",
	  .rule = "SSH private key read",
	  .mitre = "T1552.004",
	  .doc = "shows an empty .ssh/id_rsa of its own",
	  .shown = "@/.ssh/id_rsa" },
	{ .name = "read-cloud-credentials",
	  .rule = "Cloud credentials read by file tool",
	  .mitre = "T1552.001",
	  .doc = "shows an empty .aws/credentials of its own",
	  .shown = "@/.aws/credentials" },
	{ .name = "read-kubeconfig",
	  .rule = "Kubernetes credentials read by file tool",
	  .mitre = "T1552.001",
	  .doc = "shows an empty .kube/config of its own",
	  .shown = "@/.kube/config" },
	{ .name = "read-service-token",
	  .rule = "Service account token read by file tool",
	  .mitre = "T1528",
	  .doc = "shows an empty token of its own",
	  .shown = "@/secrets/kubernetes.io/serviceaccount/token" },
	{ .name = "read-browser-store",
	  .rule = "Browser credentials read",
	  .mitre = "T1555.003",
	  .doc = "shows an empty logins.json of its own",
	  .shown = "@/.mozilla/logins.json" },
	{ .name = "read-keyring",
	  .rule = "Keyring or password store read",
	  .mitre = "T1555",
	  .doc = "shows an empty KeePass file of its own",
	  .shown = "@/haetae-trigger.kdbx" },
	{ .name = "read-password-file",
	  .rule = "Password file of a tool read by file tool",
	  .mitre = "T1552.001",
	  .doc = "shows an empty .git-credentials of its own",
	  .shown = "@/.git-credentials" },
	{ .name = "read-ticket",
	  .rule = "Kerberos ticket read by file tool",
	  .mitre = "T1558",
	  .doc = "shows an empty cache of tickets of its own",
	  .shown = "/tmp/krb5cc_%" },
};
/* clang-format on */

const struct trigger_table trigger_secrets = TRIGGER_TABLE(actions);
