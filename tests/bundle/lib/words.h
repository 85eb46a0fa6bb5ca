/* What the cookbooks of this bundle say, for all of them. */
#ifndef WORDS_H
#define WORDS_H

struct spk;

const char *words_told(struct spk *spk, const char *what);

#endif
