# Sums a log of meson test (testlog.json: one object a test). A TAP program counts by its cases, and a
# crash of it as one failure; any other test counts as one. First line: passed, failed, skipped; then
# a line for each failure and for each skip with its reason.
def good: IN("OK", "EXPECTEDFAIL", "SKIP");
def lines: ((.stdout // "") + "\n" + (.stderr // "")) | split("\n") | map(select(. != ""));
def cases: [(.stdout // "") | split("\n")[] | select(test("^(not )?ok\\b"))];
def bad_case: test("^not ok") and (test("# *TODO"; "i") | not);
def skipped_case: test("^ok.*# *SKIP"; "i");

def of_tap($test; $cases):
	($cases | map(select(bad_case))) as $bad
	| ($cases | map(select(skipped_case))) as $skip
	| (if ($bad | length) == 0 and ($test.result | good | not) then 1 else 0 end) as $crash
	| {
		failed: (($bad | length) + $crash),
		skipped: ($skip | length),
		passed: (($cases | length) - ($bad | length) - ($skip | length)),
		notes: (($bad | map("FAILED \($test.name): \(.)"))
			+ ($skip | map("skipped \($test.name): \(sub("^ok [0-9]* *(- )?"; ""))"))
			+ (if $crash == 1 then ["FAILED \($test.name): \($test.result)"] else [] end))
	};

def of_plain:
	if .result == "SKIP" then
		{ passed: 0, failed: 0, skipped: 1,
		  notes: ["skipped \(.name): \(lines | last // "no reason given")"] }
	elif .result | good then { passed: 1, failed: 0, skipped: 0, notes: [] }
	else { passed: 0, failed: 1, skipped: 0, notes: ["FAILED \(.name): \(.result)"] } end;

reduce (inputs | . as $test | cases as $cases
	| if ($cases | length) > 0 then of_tap($test; $cases) else of_plain end) as $one
	({ passed: 0, failed: 0, skipped: 0, notes: [] };
	{ passed: (.passed + $one.passed), failed: (.failed + $one.failed),
	  skipped: (.skipped + $one.skipped), notes: (.notes + $one.notes) })
| "\(.passed) \(.failed) \(.skipped)", (.notes[] | "\($suite): \(.)")
