/* samples.secret: hand a password to a command without showing it to anybody. */
#include <spicerack/cookbook.h>

struct backup {
	spk_path password_file;
};

static const struct spk_arg args[] = {
	SPK_OPTION(struct backup, password_file, .required = true,
		   .help = "a file that only its owner can read"),
};

static int run(struct spk *spk, void *self)
{
	const struct backup *backup = self;
	struct spk_secret *password = spk_secret_read_file(spk, backup->password_file.text);

	SPK_SCOPED(spk_secret_scope(spk, password));
	/* On its standard input: an argument or a variable could be seen by others. */
	spk_command_run(spk,
			SPK_COMMAND(SPK_STRINGS("wc", "-c"), .input = spk_secret_text(password)));
	return 0;
}

SPK_COOKBOOK(.title = "Use a password", SPK_ARGS(struct backup, args), .run = run);
