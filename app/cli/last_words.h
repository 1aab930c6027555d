#pragma once

// One sentence and exit 1 even where the program cannot go on: no memory for the exception about missing memory, a
// library that does not look at what its allocator gave it, a mapped file that somebody cut short.

namespace mirror::cli {

// With MAGIC_MIRROR_CORE set to anything in the environment the sentence is followed by the signal itself (or SIGABRT),
// so that the system writes a core file where it is allowed to (`ulimit -c`) and a debugger stops at the culprit.
// Without it the exit code stays 1, as scripts expect.
//
// Once, first thing in main(). Leaves handlers alone that somebody has installed before, such as a sanitizer's.
void install_last_words();

}  // namespace mirror::cli
