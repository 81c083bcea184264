/*
 * Prints help from the command table, so that no option can be missing from it. Owns nothing.
 */
#include "help.h"

#include "commands.h"

/* Behind this column the sentences start. */
#define DOC_COLUMN 26
#define LINE_WIDTH 92

/* Folds a sentence at blanks; the cursor stands at DOC_COLUMN. */
static void print_folded(FILE *out, const char *text)
{
	size_t room = LINE_WIDTH - DOC_COLUMN;

	while (strlen(text) > room) {
		size_t cut = room;

		while (cut > 0 && text[cut] != ' ')
			cut--;
		if (cut == 0)
			break;
		fprintf(out, "%.*s\n%*s", (int)cut, text, DOC_COLUMN, "");
		text += cut + 1;
	}
	fprintf(out, "%s\n", text);
}

static void print_row(FILE *out, const char *left, const char *doc)
{
	int used = fprintf(out, "  %s", left);

	if (used >= DOC_COLUMN)
		fprintf(out, "\n%*s", DOC_COLUMN, "");
	else
		fprintf(out, "%*s", DOC_COLUMN - used, "");
	print_folded(out, doc);
}

static void print_option(FILE *out, const struct option_spec *option)
{
	char left[64];
	char letter[8] = "    ";

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name, option->value ? " " : "",
		 option->value ? option->value : "");
	print_row(out, left, option->doc);
}

void help_print_command(const struct command *command, FILE *out)
{
	fprintf(out, "usage: haetae %s [OPTION...]%s%s\n\n%s\n\nOptions:\n", command->name,
		command->operands[0] ? " " : "", command->operands, command->description);
	for (unsigned i = 0; i < command->option_cnt; i++)
		print_option(out, &command->options[i]);
	print_row(out, "-h, --help", "Print this and exit.");
	if (command->example)
		fprintf(out, "\nExample:\n  %s\n", command->example);
}

void help_print_program(FILE *out)
{
	fputs("usage: haetae COMMAND [OPTION...] [ARGUMENT...]\n\n"
	      "Detects suspicious behaviour on a Linux host while it happens: eBPF probes in the\n"
	      "kernel, rules in Falco's language, alerts as text or JSON.\n\nCommands:\n",
	      out);
	for (unsigned i = 0; command_at(i); i++)
		print_row(out, command_at(i)->name, command_at(i)->summary);
	fputs("\nOptions:\n", out);
	print_row(out, "    --version", "Print the version and exit.");
	print_row(out, "-h, --help", "Print this and exit.");
	fputs("\nExit codes: 0 success; 1 what was checked is not good; 2 usage; 3 this host "
	      "can't.\n"
	      "'haetae COMMAND --help' tells about a command; haetae(8) is the manual.\n",
	      out);
}
