/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `spicerack complete`, which the files of `completions/` ask: what may come next on a command
 * line. Nobody types it, and it is in no help: words and answers are between these files and us.
 */
#ifndef SPICERACK_HOST_COMPLETE_COMMAND_H
#define SPICERACK_HOST_COMPLETE_COMMAND_H

/*
 * The words behind it are
 *     bash BREAKS LINE    COMP_WORDBREAKS, and the command line up to the cursor
 *     zsh WORD...         the words without their quotes, up to the cursor
 *     fish WORD...        likewise
 * The answer's first line is `words`, `files` or `directories`: what the shell completes. Then
 * there is a line for each candidate. For bash it is quoted for its place. For zsh it begins with
 * `+` when more of the word follows, else `-`; it lacks an option's name and `=` in front of a
 * value. For zsh and fish a tab and a description may be behind it. Returns 0, whatever happens.
 */
int complete_command(int argc, char **argv);

#endif
