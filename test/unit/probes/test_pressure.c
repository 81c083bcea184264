/*
 * What the programs decide by how full a ring is: every wake-up that is due is given, and a group
 * that uses more than its share gives way to the others.
 */
#include <criterion/criterion.h>
#include <linux/types.h>

#include "haetae/base.h"
#include "bpf/pressure.h"

/* Records of many sizes into rings that nobody reads: no step above a quarter of the ring is
 * crossed without a wake-up, and the quarter's own line neither. */
Test(pressure, no_line_is_crossed_in_silence)
{
	static const uint32_t rings[] = { 4096, 65536, 1u << 20, 4u << 20 };

	for (size_t r = 0; r < ARRAY_LEN(rings); r++) {
		uint32_t bytes = rings[r], step = bytes / 64;

		for (uint32_t length = 56; length <= 16384 && length < bytes; length += 8 * 37) {
			uint64_t pending = 0, told = 0;

			while (pending + length + RING_HEAD_BYTES <= bytes) {
				uint64_t behind = pending + length + RING_HEAD_BYTES;

				if (pressure_wakes(pending, length, bytes))
					told = behind;
				cr_assert(behind <= bytes / 4 || told,
					  "ring %u, records of %u: nothing at %llu", bytes, length,
					  (unsigned long long)behind);
				cr_assert(behind <= bytes / 4 || behind / step == told / step,
					  "ring %u, records of %u: a step at %llu", bytes, length,
					  (unsigned long long)behind);
				cr_assert(behind > bytes / 4 || !told, "ring %u: early", bytes);
				pending = behind;
			}
		}
	}
}

/* The case that was missed: the record that crosses the quarter lies within one step. */
Test(pressure, the_quarter_wakes_within_a_step)
{
	const uint32_t bytes = 65536;

	cr_expect(pressure_wakes(bytes / 4, 100, bytes), "from the line on");
	cr_expect(pressure_wakes(bytes / 4 - 8, 100, bytes), "across the line");
	cr_expect(!pressure_wakes(bytes / 4 - 108, 100, bytes), "up to the line");
	cr_expect(!pressure_wakes(bytes / 4 + 8, 100, bytes), "within the step behind it");
	/* The head of the entry, too, can take it over. */
	cr_expect(pressure_wakes(bytes / 2 - 108, 104, bytes), "by its head");
}

static const uint32_t RING = 1u << 21;

static void use_it(struct pressure_use *use, struct pressure_total *total, uint64_t window,
		   uint64_t bytes)
{
	pressure_turn(use, total, window);
	use->bytes += bytes;
	total->bytes += bytes;
	if (pressure_is_over_share(use->bytes, total, RING))
		use->is_heavy = 1;
}

Test(pressure, who_is_over_the_share)
{
	struct pressure_total total = { 0 };
	struct pressure_use bomb = { 0 }, other[8] = { 0 };

	use_it(&bomb, &total, 5, RING / 64);
	cr_expect(!bomb.is_heavy, "little is never too much");
	use_it(&bomb, &total, 5, RING / 2);
	cr_expect(bomb.is_heavy, "alone, it leaves room for one that comes");
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		use_it(&other[i], &total, 5, RING / 40);
		cr_expect(!other[i].is_heavy, "group %zu beside the bomb", i);
	}
	cr_expect(total.groups == 9, "%llu", total.groups);
	/* What it was lasts for a window more, and no longer. */
	use_it(&bomb, &total, 6, 100);
	cr_expect(!bomb.is_heavy && bomb.was_heavy);
	use_it(&bomb, &total, 7, 100);
	cr_expect(!bomb.is_heavy && !bomb.was_heavy);
	use_it(&other[0], &total, 9, 100);
	cr_expect(total.groups == 1 && total.bytes == 100, "a window of its own");
}

Test(pressure, two_bombs_do_not_hide_behind_each_other)
{
	struct pressure_total total = { 0 };
	struct pressure_use one = { 0 }, two = { 0 }, third = { 0 };

	for (int i = 0; i < 100; i++) {
		use_it(&one, &total, 5, RING / 100);
		use_it(&two, &total, 5, RING / 100);
		use_it(&third, &total, 5, RING / 1000);
	}
	cr_expect(one.is_heavy && two.is_heavy && !third.is_heavy, "%u %u %u", one.is_heavy,
		  two.is_heavy, third.is_heavy);
}

Test(pressure, levels)
{
	/* In sixteenths of the ring. */
	static const struct {
		unsigned fill;
		bool is_heavy;
		enum pressure_level level;
	} cases[] = {
		{ 8, true, PRESSURE_NONE },	    { 9, true, PRESSURE_NO_ENV },
		{ 12, true, PRESSURE_NO_ENV },	    { 13, true, PRESSURE_SHORT_ARGV },
		{ 14, true, PRESSURE_SHORT_ARGV },  { 15, true, PRESSURE_REFUSED },
		{ 14, false, PRESSURE_NONE },	    { 15, false, PRESSURE_NO_ENV },
		{ 16, false, PRESSURE_SHORT_ARGV },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect(pressure_level((uint64_t)cases[i].fill * RING / 16, RING,
					 cases[i].is_heavy) == cases[i].level,
			  "%u sixteenths, heavy %d", cases[i].fill, cases[i].is_heavy);
}
