#pragma once

// One sentence and exit 1 even where the program cannot go on: no memory for the exception about missing memory, a
// library that does not look at what its allocator gave it, a mapped file that somebody cut short.

namespace mirror::cli {

// Once, first thing in main(). Leaves handlers alone that somebody has installed before, such as a sanitizer's.
void install_last_words();

}  // namespace mirror::cli
