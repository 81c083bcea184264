# Shared by the checks: where the tree is, and how a problem is said. Each check prints one line a
# problem ("file:line: what") and exits with 1 where there was any. It takes the tree as its
# argument, so that test_lint can show it a tree that is wrong.
set -euo pipefail
tree=${1:?usage: $0 TREE}
cd "$tree"

c_files()
{
	{ find bench cli daemon engine include outputs probes test -name '*.[ch]' "$@" 2>/dev/null || true; } |
		sort
}
